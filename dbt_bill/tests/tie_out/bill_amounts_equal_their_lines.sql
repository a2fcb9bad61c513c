-- The lines that spending is reported from add up to the bill or vendor credit that they belong to.
with lines as (
    select organization_id, expense_type, document_id, sum(amount) as amount
    from {{ ref('bill__expense_detail') }}
    where expense_type in ('bill', 'vendor_credit')
    group by organization_id, expense_type, document_id
),

documents as (
    select organization_id, currency, 'bill' as expense_type, bill_id as document_id, amount
    from {{ ref('bill__bills_enhanced') }}
    where is_live

    union all

    select organization_id, currency, 'vendor_credit', id, -amount
    from {{ ref('stg_bill__vendor_credits') }}
    where not is_deleted and not coalesce(archived, false)
)

select
    documents.organization_id,
    documents.currency,
    documents.expense_type,
    documents.document_id,
    documents.amount,
    lines.amount as lines_amount
from documents
left join lines
    on lines.organization_id = documents.organization_id
    and lines.expense_type = documents.expense_type
    and lines.document_id = documents.document_id
where coalesce(documents.amount, 0) <> coalesce(lines.amount, 0)
