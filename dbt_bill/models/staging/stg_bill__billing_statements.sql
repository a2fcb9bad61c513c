-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('billing_statements', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('amount', 'amount', 'number'),
        ('billingPeriod.startDate', 'billing_period_start_date', 'date'),
        ('billingPeriod.endDate', 'billing_period_end_date', 'date'),
        ('description', 'description', 'string'),
        ('invoiceDate', 'invoice_date', 'date'),
        ('invoiceNumber', 'invoice_number', 'string'),
        ('paymentStatus', 'payment_status', 'string'),
        ('paymentDate', 'payment_date', 'date'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='billing_statements') }}
)

select loaded.*
from loaded
