-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('ap_cards', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('status', 'status', 'string'),
        ('nameOnAccount', 'name_on_account', 'string'),
        ('balance', 'balance', 'number'),
        ('limit', 'spending_limit', 'number'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='ap_cards') }}
)

select loaded.*
from loaded
