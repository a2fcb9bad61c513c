-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('organization_price_plan_terms', [
        ('organizationId', 'organization_id', 'string'),
        ('pricePlanId', 'price_plan_id', 'string'),
        ('position', 'position', 'integer'),
        ('type', 'type', 'string'),
        ('name', 'name', 'string'),
        ('tier', 'tier', 'number'),
        ('quantity', 'quantity', 'number'),
        ('price', 'price', 'number'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='organization_price_plan') }}
)

select loaded.*
from loaded
