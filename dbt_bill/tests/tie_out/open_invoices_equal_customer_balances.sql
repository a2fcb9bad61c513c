-- What the open invoices of a customer add up to is the balance that BILL keeps on the customer.
with open_invoices as (
    select organization_id, currency, customer_id, sum(open_amount) as amount
    from {{ ref('bill__ar_aging') }}
    group by organization_id, currency, customer_id
),

balances as (
    select organization_id, currency, id as customer_id, balance_amount as amount
    from {{ ref('stg_bill__customers') }}
    where not is_deleted and balance_amount is not null
)

select
    coalesce(balances.organization_id, open_invoices.organization_id) as organization_id,
    coalesce(balances.currency, open_invoices.currency) as currency,
    coalesce(balances.customer_id, open_invoices.customer_id) as customer_id,
    open_invoices.amount as open_invoices_amount,
    balances.amount as balance_amount
from open_invoices
full outer join balances
    on balances.organization_id = open_invoices.organization_id
    and balances.customer_id = open_invoices.customer_id
where coalesce(open_invoices.amount, 0) <> coalesce(balances.amount, 0)
