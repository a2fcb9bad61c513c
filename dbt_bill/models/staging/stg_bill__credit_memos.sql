-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('credit_memos', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('customerId', 'customer_id', 'string'),
        ('referenceNumber', 'reference_number', 'string'),
        ('creditDate', 'credit_date', 'date'),
        ('description', 'description', 'string'),
        ('archived', 'archived', 'boolean'),
        ('status', 'status', 'string'),
        ('amount', 'amount', 'number'),
        ('appliedAmount', 'applied_amount', 'number'),
        ('salesTaxItemId', 'sales_tax_item_id', 'string'),
        ('salesTaxPercentage', 'sales_tax_percentage', 'number'),
        ('salesTaxTotal', 'sales_tax_total', 'number'),
        ('payToChartOfAccountId', 'pay_to_chart_of_account_id', 'string'),
        ('payToBankAccountId', 'pay_to_bank_account_id', 'string'),
        ('classifications.accountingClassId', 'accounting_class_id', 'string'),
        ('classifications.departmentId', 'department_id', 'string'),
        ('classifications.jobId', 'job_id', 'string'),
        ('classifications.locationId', 'location_id', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='credit_memos') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__customers') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.customer_id
