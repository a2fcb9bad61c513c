{%- set spend_table = "case when expense_type = 'card' then 'spend_transactions' else 'spend_reimbursements' end" -%}
{%- set entered = 'cast(created_time as date)' -%}
{%- set controls = [
    ('exact_duplicate_bills', 'Bills entered twice', 'bills', 'bill_id', 'invoice_date', 'amount'),
    ('likely_duplicate_bills', 'Bills probably entered twice', 'bills', 'bill_id', 'invoice_date', 'amount'),
    ('duplicate_payments', 'Payments made twice', 'payments', 'payment_id', 'payment_date', 'amount'),
    ('duplicate_vendors', 'Vendors entered twice', 'vendors', 'vendor_id', entered, 'null'),
    ('bank_details_changed', 'Bank details changed shortly before a payment', 'payments', 'payment_id', 'payment_date',
        'amount'),
    ('creator_is_approver', 'Bills approved by who entered them', 'bills', 'bill_id', 'invoice_date', 'amount'),
    ('creator_is_payer', 'Bills paid by who entered them', 'payments', 'payment_id', 'payment_date', 'amount'),
    ('paid_without_approval', 'Bills paid without complete approval', 'bills', 'bill_id', 'invoice_date', 'amount'),
    ('below_approval_threshold', 'Bills just below an approval threshold', 'bills', 'bill_id', 'invoice_date', 'amount'),
    ('paid_before_invoice', 'Bills paid before the date of the invoice', 'payments', 'payment_id', 'payment_date',
        'amount'),
    ('unapplied_credits', 'Vendor credits not used for long', 'vendor_credits', 'vendor_credit_id', 'credit_date',
        'unapplied_amount'),
    ('1099_without_tax_id', '1099 vendors without a tax id', 'vendors', 'vendor_id', entered, 'paid_amount'),
    ('voided_and_stale_checks', 'Voided checks, and checks not cashed for long', 'payments', 'payment_id',
        'payment_date', 'amount'),
    ('spend_without_receipts', 'Spending without a receipt', spend_table, 'uuid', 'expense_date', 'amount'),
] -%}
{%- set text = dbt_bill.column_type('string') -%}

{% for control, title, table, id, day, amount in controls -%}
select
    cast('{{ control }}' as {{ text }}) as control,
    cast('{{ title }}' as {{ text }}) as title,
    organization_id,
    currency,
    cast({{ amount }} as {{ dbt_bill.column_type('number') }}) as amount,
    {{ 'merchant_name' if control == 'spend_without_receipts' else 'vendor_name' }} as vendor_name,
    cast({{ table if table == spend_table else "'" ~ table ~ "'" }} as {{ text }}) as record_table,
    {{ id }} as record_id,
    {{ day }} as record_date,
    reason
from {{ ref('bill__control_' ~ control) }}
{{ 'union all' if not loop.last }}
{% endfor %}
