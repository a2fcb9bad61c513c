-- Accounts payable aging: what is owed to vendors on a day, by currency and by how long it has been due.
-- Archived bills are not owed (drafts carry that mark too). BILL names a bill's currency at its vendor.
-- The last column is BILL's own figure, the sum of the vendors' balances: it has to agree with the total.

with owed as (
  select
    vendor."billCurrency" as currency,
    bill."dueAmount" as amount,
    %(as_of)s::date - bill."dueDate" as days_late
  from bill.bills as bill
  left join bill.vendors as vendor
    on vendor."organizationId" = bill."organizationId" and vendor.id = bill."vendorId"
  where not bill.archived and bill."dueAmount" <> 0
),

balances as (
  select "billCurrency" as currency, sum((balance ->> 'amount')::numeric) as amount
  from bill.vendors
  group by "billCurrency"
)

select
  currency,
  coalesce(sum(owed.amount) filter (where days_late is null or days_late <= 0), 0) as not_due,
  coalesce(sum(owed.amount) filter (where days_late between 1 and 30), 0) as days_1_to_30,
  coalesce(sum(owed.amount) filter (where days_late between 31 and 60), 0) as days_31_to_60,
  coalesce(sum(owed.amount) filter (where days_late between 61 and 90), 0) as days_61_to_90,
  coalesce(sum(owed.amount) filter (where days_late > 90), 0) as over_90_days,
  sum(owed.amount) as total,
  coalesce(min(balances.amount), 0) as bills_own_figure
from owed left join balances using (currency)
group by currency
order by currency
