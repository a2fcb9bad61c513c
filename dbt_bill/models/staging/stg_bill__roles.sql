-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('roles', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('type', 'type', 'string'),
        ('description', 'description', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='roles') }}
)

select loaded.*
from loaded
