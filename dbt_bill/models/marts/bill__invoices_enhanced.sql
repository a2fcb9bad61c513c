with documents as (
    select * from {{ ref('stg_bill__invoices') }}
    where not is_deleted
),

lines as (
    select organization_id, invoice_id, count(*) as line_count, sum(quantity * price) as line_amount
    from {{ ref('stg_bill__invoice_line_items') }}
    where not is_deleted
    group by organization_id, invoice_id
),

applied as (
    select
        organization_id,
        document_id,
        sum(case when state = 'settled' then amount else 0 end) as settled_amount,
        max(case when state = 'settled' then application_date end) as last_settled_date,
        min(case when state = 'scheduled' then application_date end) as next_scheduled_date
    from {{ ref('bill__payment_applications') }}
    where direction = 'receivable'
    group by organization_id, document_id
),

live as (
    select
        documents.*,
        not coalesce(documents.archived, false) as is_live,
        not coalesce(documents.archived, false) and coalesce(documents.due_amount, 0) <> 0 as is_open
    from documents
)

select
    live.organization_id,
    live.currency,
    live.id as invoice_id,
    live.invoice_number,
    live.customer_id,
    customer.name as customer_name,
    live.invoice_date,
    live.due_date,
    term.name as payment_term,
    live.record_status,
    live.status as payment_status,
    live.is_live,
    live.is_open,
    live.total_amount as amount,
    live.sales_tax_total as tax_amount,
    live.credit_amount,
    live.scheduled_amount,
    live.due_amount,
    coalesce(applied.settled_amount, 0) as settled_amount,
    applied.last_settled_date,
    applied.next_scheduled_date,
    case when live.is_open and {{ dbt_bill.days_late('live.due_date') }} > 0
        then {{ dbt_bill.days_late('live.due_date') }} end as days_late,
    case when live.due_amount = 0
        then {{ dbt.datediff('live.invoice_date', 'applied.last_settled_date', 'day') }} end as days_to_pay,
    coalesce(lines.line_count, 0) as line_count,
    coalesce(lines.line_amount, 0) as line_amount,
    live.created_time,
    live.updated_time
from live
left join {{ ref('stg_bill__customers') }} as customer
    on customer.organization_id = live.organization_id and customer.id = live.customer_id
left join {{ ref('stg_bill__payment_terms') }} as term
    on term.organization_id = live.organization_id and term.id = live.payment_term_id
left join lines
    on lines.organization_id = live.organization_id and lines.invoice_id = live.id
left join applied
    on applied.organization_id = live.organization_id and applied.document_id = live.id
