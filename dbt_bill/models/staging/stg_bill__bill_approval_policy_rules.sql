-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bill_approval_policy_rules', [
        ('organizationId', 'organization_id', 'string'),
        ('billApprovalPolicyId', 'bill_approval_policy_id', 'string'),
        ('rulePosition', 'rule_position', 'integer'),
        ('position', 'position', 'integer'),
        ('key', 'key', 'string'),
        ('op', 'op', 'string'),
        ('value', 'value', 'string'),
        ('displayName', 'display_name', 'string'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bill_approval_policies') }}
)

select loaded.*
from loaded
