-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('chart_of_accounts', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('description', 'description', 'string'),
        ('parentId', 'parent_id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('account.number', 'account_number', 'string'),
        ('account.type', 'account_type', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='chart_of_accounts') }}
)

select loaded.*
from loaded
