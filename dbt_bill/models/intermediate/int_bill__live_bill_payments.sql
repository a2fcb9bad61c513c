with parts as (
    select organization_id, payment_id, bill_id, sum(amount) as amount
    from {{ ref('stg_bill__payment_bill_payments') }}
    where not is_deleted and bill_id is not null
    group by organization_id, payment_id, bill_id
)

select
    payment.organization_id,
    payment.currency,
    payment.payment_id,
    parts.bill_id,
    payment.vendor_id,
    payment.vendor_name,
    payment.payment_date,
    payment.created_by,
    payment.status,
    payment.place,
    parts.amount
from parts
inner join {{ ref('int_bill__live_payments') }} as payment
    on payment.organization_id = parts.organization_id and payment.payment_id = parts.payment_id
