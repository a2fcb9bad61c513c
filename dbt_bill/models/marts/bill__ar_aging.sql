select
    organization_id,
    currency,
    customer_id,
    customer_name,
    {{ dbt_bill.as_of() }} as as_of_date,
    count(*) as open_invoices,
    min(due_date) as oldest_due_date,
    {{ dbt_bill.aging_amounts('due_amount', 'due_date') }}
from {{ ref('bill__invoices_enhanced') }}
where is_open
group by organization_id, currency, customer_id, customer_name
