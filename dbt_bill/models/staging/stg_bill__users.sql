-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('users', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('firstName', 'first_name', 'string'),
        ('lastName', 'last_name', 'string'),
        ('email', 'email', 'string'),
        ('archived', 'archived', 'boolean'),
        ('role.id', 'role_id', 'string'),
        ('role.type', 'role_type', 'string'),
        ('role.description', 'role_description', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='users') }}
)

select loaded.*
from loaded
