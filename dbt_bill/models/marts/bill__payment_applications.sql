with applications as (
    select
        part.organization_id,
        part.currency,
        'payable' as direction,
        'payment' as application_type,
        payment.id as source_id,
        part.id as application_id,
        payment.id as payment_id,
        part.bill_id as document_id,
        payment.vendor_id as party_id,
        payment.process_date as application_date,
        payment.status,
        part.amount
    from {{ ref('stg_bill__payment_bill_payments') }} as part
    inner join {{ ref('stg_bill__payments') }} as payment
        on payment.organization_id = part.organization_id and payment.id = part.payment_id
    where not part.is_deleted and not payment.is_deleted

    union all

    select
        part.organization_id,
        part.currency,
        'payable' as direction,
        'credit' as application_type,
        credit.id as source_id,
        cast(part.position as {{ dbt_bill.column_type('string') }}) as application_id,
        part.payment_id,
        part.bill_id as document_id,
        credit.vendor_id as party_id,
        credit.credit_date as application_date,
        credit.status,
        part.amount
    from {{ ref('stg_bill__vendor_credit_usage') }} as part
    inner join {{ ref('stg_bill__vendor_credits') }} as credit
        on credit.organization_id = part.organization_id and credit.id = part.vendor_credit_id
    where not part.is_deleted and not credit.is_deleted

    union all

    select
        part.organization_id,
        part.currency,
        'receivable' as direction,
        'payment' as application_type,
        payment.id as source_id,
        cast(part.position as {{ dbt_bill.column_type('string') }}) as application_id,
        payment.id as payment_id,
        part.invoice_id as document_id,
        payment.customer_id as party_id,
        coalesce(part.payment_date, payment.payment_date) as application_date,
        payment.status,
        part.amount
    from {{ ref('stg_bill__receivable_payment_invoice_payments') }} as part
    inner join {{ ref('stg_bill__receivable_payments') }} as payment
        on payment.organization_id = part.organization_id and payment.id = part.received_payment_id
    where not part.is_deleted and not payment.is_deleted

    union all

    select
        part.organization_id,
        part.currency,
        'receivable' as direction,
        'credit' as application_type,
        memo.id as source_id,
        cast(part.position as {{ dbt_bill.column_type('string') }}) as application_id,
        cast(null as {{ dbt_bill.column_type('string') }}) as payment_id,
        part.invoice_id as document_id,
        memo.customer_id as party_id,
        memo.credit_date as application_date,
        memo.status,
        part.amount
    from {{ ref('stg_bill__credit_memo_usage') }} as part
    inner join {{ ref('stg_bill__credit_memos') }} as memo
        on memo.organization_id = part.organization_id and memo.id = part.credit_memo_id
    where not part.is_deleted and not memo.is_deleted
)

select
    applications.*,
    case
        when application_type = 'credit' or status = 'PAID' then 'settled'
        when status in ('APPROVING', 'PENDING', 'SCHEDULED') then 'scheduled'
        else 'not settled'
    end as state
from applications
