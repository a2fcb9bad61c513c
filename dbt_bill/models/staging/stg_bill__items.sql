-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('items', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('type', 'type', 'string'),
        ('name', 'name', 'string'),
        ('shortName', 'short_name', 'string'),
        ('description', 'description', 'string'),
        ('parentId', 'parent_id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('price', 'price', 'number'),
        ('percentage', 'percentage', 'number'),
        ('taxable', 'taxable', 'boolean'),
        ('chartOfAccountId', 'chart_of_account_id', 'string'),
        ('purchaseDescription', 'purchase_description', 'string'),
        ('purchaseCost', 'purchase_cost', 'number'),
        ('expenseChartOfAccountId', 'expense_chart_of_account_id', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='items') }}
)

select loaded.*
from loaded
