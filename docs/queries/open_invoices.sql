-- Which invoices customers have not paid in full, the oldest first.
-- An archived invoice keeps its status OPEN, so the status alone does not tell; drafts are archived too.
select
  invoice."organizationId",
  customer.name as customer,
  invoice."invoiceNumber" as invoice_number,
  invoice."dueDate" as due_date,
  current_date - invoice."dueDate" as days_late,
  customer."invoiceCurrency" as currency,
  invoice."dueAmount" as due_amount
from bill.invoices as invoice
left join bill.customers as customer
  on customer."organizationId" = invoice."organizationId" and customer.id = invoice."customerId"
where invoice.archived is not true and invoice."dueAmount" <> 0
order by invoice."dueDate", invoice."invoiceNumber"
