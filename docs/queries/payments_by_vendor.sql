-- What was paid to each vendor: payments that arrived, without those that are scheduled, failed, void or cancelled.
-- fundingAmount is what left the bank account, in US dollars.
select
  payment."organizationId",
  vendor.name as vendor,
  vendor."billCurrency" as currency,
  count(*) as payments,
  sum(payment.amount) as paid,
  sum(payment."fundingAmount") as paid_in_usd,
  max(payment."processDate") as last_payment
from bill.payments as payment
left join bill.vendors as vendor
  on vendor."organizationId" = payment."organizationId" and vendor.id = payment."vendorId"
where payment.status = 'PAID'
group by 1, vendor.id, 2, 3
order by 1, paid_in_usd desc
