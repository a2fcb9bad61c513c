-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bill_approval_policy_approvers', [
        ('organizationId', 'organization_id', 'string'),
        ('billApprovalPolicyId', 'bill_approval_policy_id', 'string'),
        ('position', 'position', 'integer'),
        ('groupId', 'group_id', 'string'),
        ('groupName', 'group_name', 'string'),
        ('userId', 'user_id', 'string'),
        ('fullName', 'full_name', 'string'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bill_approval_policies') }}
)

select loaded.*
from loaded
