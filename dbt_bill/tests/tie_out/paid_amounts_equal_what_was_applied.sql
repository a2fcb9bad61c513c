-- What BILL calls paid on a bill or an invoice is what payments that arrived and credits put on it.
select organization_id, currency, bill_id as document_id, paid_amount, settled_amount
from {{ ref('bill__bills_enhanced') }}
where is_live and coalesce(paid_amount, amount - due_amount, 0) <> settled_amount

union all

select organization_id, currency, invoice_id, amount - due_amount, settled_amount
from {{ ref('bill__invoices_enhanced') }}
where is_live and amount - due_amount <> settled_amount
