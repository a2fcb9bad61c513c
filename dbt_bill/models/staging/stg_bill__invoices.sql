-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('invoices', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('invoiceNumber', 'invoice_number', 'string'),
        ('customerId', 'customer_id', 'string'),
        ('invoiceDate', 'invoice_date', 'date'),
        ('dueDate', 'due_date', 'date'),
        ('paymentTermId', 'payment_term_id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('recordStatus', 'record_status', 'string'),
        ('status', 'status', 'string'),
        ('totalAmount', 'total_amount', 'number'),
        ('dueAmount', 'due_amount', 'number'),
        ('scheduledAmount', 'scheduled_amount', 'number'),
        ('creditAmount', 'credit_amount', 'number'),
        ('exchangeRate', 'exchange_rate', 'number'),
        ('salesTaxItemId', 'sales_tax_item_id', 'string'),
        ('salesTaxPercentage', 'sales_tax_percentage', 'number'),
        ('salesTaxTotal', 'sales_tax_total', 'number'),
        ('enableCardPayment', 'enable_card_payment', 'boolean'),
        ('convenienceFee.percentage', 'convenience_fee_percentage', 'number'),
        ('payToChartOfAccountId', 'pay_to_chart_of_account_id', 'string'),
        ('invoicePdfId', 'invoice_pdf_id', 'string'),
        ('classifications.accountingClassId', 'accounting_class_id', 'string'),
        ('classifications.departmentId', 'department_id', 'string'),
        ('classifications.jobId', 'job_id', 'string'),
        ('classifications.locationId', 'location_id', 'string'),
        ('createdBy', 'created_by', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='invoices') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__customers') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.customer_id
