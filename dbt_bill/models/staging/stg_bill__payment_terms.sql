-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('payment_terms', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('daysDue', 'days_due', 'integer'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='payment_terms') }}
)

select loaded.*
from loaded
