-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bill_approval_policies', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('policyName', 'policy_name', 'string'),
        ('status', 'status', 'string'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bill_approval_policies') }}
)

select loaded.*
from loaded
