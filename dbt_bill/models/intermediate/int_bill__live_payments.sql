select
    payment.organization_id,
    payment.currency,
    payment.id as payment_id,
    payment.vendor_id,
    coalesce(vendor.name, payment.vendor_name) as vendor_name,
    coalesce(payment.process_date, cast(payment.created_time as date)) as payment_date,
    payment.created_time,
    payment.created_by,
    payment.status,
    payment.amount,
    row_number() over (
        partition by payment.organization_id, payment.vendor_id
        order by coalesce(payment.process_date, cast(payment.created_time as date)), payment.created_time, payment.id
    ) as place
from {{ ref('stg_bill__payments') }} as payment
left join {{ ref('stg_bill__vendors') }} as vendor
    on vendor.organization_id = payment.organization_id and vendor.id = payment.vendor_id
where not payment.is_deleted
    and coalesce(payment.status, '') not in ('VOID', 'FAILED', 'CANCELLED')
