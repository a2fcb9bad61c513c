-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('employees', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('firstName', 'first_name', 'string'),
        ('lastName', 'last_name', 'string'),
        ('shortName', 'short_name', 'string'),
        ('parentId', 'parent_id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='employees') }}
)

select loaded.*
from loaded
