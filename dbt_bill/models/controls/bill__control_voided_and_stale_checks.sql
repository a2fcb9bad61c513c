with voids as (
    select
        request.*,
        row_number() over (
            partition by request.organization_id, request.payment_id
            order by request.created_time desc, request.id
        ) as best
    from {{ ref('stg_bill__payment_voids') }} as request
    where not request.is_deleted and request.status = 'ACCEPTED'
),

checks as (
    select
        payment.organization_id,
        payment.currency,
        payment.id as payment_id,
        payment.vendor_id,
        coalesce(vendor.name, payment.vendor_name) as vendor_name,
        payment.process_date as payment_date,
        coalesce(payment.check_disbursement_sent_date, payment.process_date) as sent_date,
        payment.check_disbursement_check_number as check_number,
        payment.status,
        payment.single_status,
        payment.amount,
        voids.created_time as void_requested_time,
        voids.requested_by as void_requested_by,
        voids.type as void_type,
        voids.reason as void_reason,
        case
            when payment.status = 'VOID' or voids.id is not null then 'voided'
            when payment.status in ('FAILED', 'CANCELLED') then null
            when payment.disbursement_status = 'DONE' then null
            when payment.single_status in ('CLEARED', 'CANCELED', 'VOIDED', 'FUNDS_ESCHEATED') then null
            -- Where BILL tells neither, nothing is known.
            when coalesce(payment.disbursement_status, payment.single_status) is not null then 'stale'
        end as problem
    from {{ ref('stg_bill__payments') }} as payment
    left join voids
        on voids.organization_id = payment.organization_id
        and voids.payment_id = payment.id
        and voids.best = 1
    left join {{ ref('stg_bill__vendors') }} as vendor
        on vendor.organization_id = payment.organization_id and vendor.id = payment.vendor_id
    where not payment.is_deleted and payment.disbursement_type = 'CHECK'
)

select
    organization_id,
    currency,
    payment_id,
    vendor_id,
    vendor_name,
    check_number,
    payment_date,
    sent_date,
    status,
    single_status,
    amount,
    problem,
    void_requested_time,
    void_requested_by,
    void_type,
    void_reason,
    case problem
        when 'voided' then {{ dbt_bill.sentence(
            'Check {} of {} was voided: {}.',
            ['check_number', 'payment_date', "coalesce(void_reason, 'no reason given')"]
        ) }}
        else {{ dbt_bill.sentence(
            'Check {} was sent {} days ago, on {}, and was not cashed.',
            ['check_number', dbt_bill.days_late('sent_date'), 'sent_date']
        ) }}
    end as reason
from checks
where problem = 'voided'
    or (problem = 'stale' and {{ dbt_bill.days_late('sent_date') }} > {{ var('bill_stale_check_days') }})
