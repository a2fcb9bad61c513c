-- What bills were coded to, by general-ledger account: the sum of their lines.
-- A line that was deleted in BILL stays in the table; the join on the time keeps only the lines that exist now.
select
  bill."organizationId",
  vendor."billCurrency" as currency,
  account.account ->> 'number' as account_number,
  coalesce(account.name, '(no account)') as account_name,
  count(*) as lines,
  sum(line.amount) as amount
from bill.bill_line_items as line
join bill.bills as bill
  on bill."organizationId" = line."organizationId"
  and bill.id = line."billId"
  and bill."updatedTime" = line."parentUpdatedTime"
left join bill.vendors as vendor
  on vendor."organizationId" = bill."organizationId" and vendor.id = bill."vendorId"
left join bill.chart_of_accounts as account
  on account."organizationId" = line."organizationId" and account.id = line.classifications ->> 'chartOfAccountId'
where bill.archived is not true
group by 1, 2, account.id, 3, 4
order by 1, 2, amount desc
