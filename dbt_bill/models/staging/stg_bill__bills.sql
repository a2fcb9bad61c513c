-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bills', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('vendorName', 'vendor_name', 'string'),
        ('invoice.invoiceNumber', 'invoice_number', 'string'),
        ('invoice.invoiceDate', 'invoice_date', 'date'),
        ('purchaseOrderNumber', 'purchase_order_number', 'string'),
        ('description', 'description', 'string'),
        ('dueDate', 'due_date', 'date'),
        ('paymentTermId', 'payment_term_id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('recordStatus', 'record_status', 'string'),
        ('paymentStatus', 'payment_status', 'string'),
        ('approvalStatus', 'approval_status', 'string'),
        ('amount', 'amount', 'number'),
        ('paidAmount', 'paid_amount', 'number'),
        ('dueAmount', 'due_amount', 'number'),
        ('scheduledAmount', 'scheduled_amount', 'number'),
        ('creditAmount', 'credit_amount', 'number'),
        ('fundingAmount', 'funding_amount', 'number'),
        ('exchangeRate', 'exchange_rate', 'number'),
        ('payFromChartOfAccountId', 'pay_from_chart_of_account_id', 'string'),
        ('classifications.chartOfAccountId', 'chart_of_account_id', 'string'),
        ('classifications.accountingClassId', 'accounting_class_id', 'string'),
        ('classifications.departmentId', 'department_id', 'string'),
        ('classifications.locationId', 'location_id', 'string'),
        ('classifications.itemId', 'item_id', 'string'),
        ('createdBy', 'created_by', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bills') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__vendors') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.vendor_id
