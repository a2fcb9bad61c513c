-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('organization_price_plan', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('monthlyPrice', 'monthly_price', 'number'),
        ('allowTrial', 'allow_trial', 'boolean'),
        ('priceVariesPerUser', 'price_varies_per_user', 'boolean'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='organization_price_plan') }}
)

select loaded.*
from loaded
