-- What is owed to vendors today, by currency and by how long it has been due.
-- Archived bills are not owed; drafts are archived too. A bill's currency is that of its vendor.
select
  bill."organizationId",
  vendor."billCurrency" as currency,
  sum(bill."dueAmount") filter (where bill."dueDate" is null or bill."dueDate" >= current_date) as not_due,
  sum(bill."dueAmount") filter (where current_date - bill."dueDate" between 1 and 30) as days_1_to_30,
  sum(bill."dueAmount") filter (where current_date - bill."dueDate" between 31 and 60) as days_31_to_60,
  sum(bill."dueAmount") filter (where current_date - bill."dueDate" between 61 and 90) as days_61_to_90,
  sum(bill."dueAmount") filter (where current_date - bill."dueDate" > 90) as over_90_days,
  sum(bill."dueAmount") as total
from bill.bills as bill
left join bill.vendors as vendor
  on vendor."organizationId" = bill."organizationId" and vendor.id = bill."vendorId"
where bill.archived is not true and bill."dueAmount" <> 0
group by 1, 2
order by 1, 2
