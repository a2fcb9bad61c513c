-- What the open bills of a vendor add up to is the balance that BILL keeps on the vendor.
with open_bills as (
    select organization_id, currency, vendor_id, sum(open_amount) as amount
    from {{ ref('bill__ap_aging') }}
    group by organization_id, currency, vendor_id
),

balances as (
    select organization_id, currency, id as vendor_id, balance_amount as amount
    from {{ ref('stg_bill__vendors') }}
    where not is_deleted and balance_amount is not null
)

select
    coalesce(balances.organization_id, open_bills.organization_id) as organization_id,
    coalesce(balances.currency, open_bills.currency) as currency,
    coalesce(balances.vendor_id, open_bills.vendor_id) as vendor_id,
    open_bills.amount as open_bills_amount,
    balances.amount as balance_amount
from open_bills
full outer join balances
    on balances.organization_id = open_bills.organization_id
    and balances.vendor_id = open_bills.vendor_id
where coalesce(open_bills.amount, 0) <> coalesce(balances.amount, 0)
