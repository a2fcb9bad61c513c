-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('customer_bank_accounts', [
        ('organizationId', 'organization_id', 'string'),
        ('customerId', 'customer_id', 'string'),
        ('id', 'id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='customer_bank_accounts') }}
)

select loaded.*
from loaded
