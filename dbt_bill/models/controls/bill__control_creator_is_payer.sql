with payments as (
    select
        payment.organization_id,
        payment.currency,
        payment.payment_id,
        payment.bill_id,
        payment.vendor_id,
        payment.vendor_name,
        bill.invoice_number,
        bill.created_time as entered_time,
        payment.payment_date,
        payment.status,
        payment.created_by,
        count(*) over (partition by payment.organization_id, payment.payment_id) as bills,
        sum(payment.amount) over (partition by payment.organization_id, payment.payment_id) as amount,
        row_number() over (
            partition by payment.organization_id, payment.payment_id
            order by payment.amount desc, payment.bill_id
        ) as best
    from {{ ref('int_bill__live_bill_payments') }} as payment
    inner join {{ ref('bill__bills_enhanced') }} as bill
        on bill.organization_id = payment.organization_id
        and bill.bill_id = payment.bill_id
        and bill.created_by = payment.created_by
    where bill.is_live
)

select
    payments.organization_id,
    payments.currency,
    payments.payment_id,
    payments.bill_id,
    payments.vendor_id,
    payments.vendor_name,
    payments.invoice_number,
    payments.entered_time,
    payments.payment_date,
    payments.status,
    payments.bills,
    payments.amount,
    payments.created_by,
    person.first_name as creator_first_name,
    person.last_name as creator_last_name,
    {{ dbt_bill.sentence(
        'Who entered invoice {} on {} also made the payment of {} for it{}.',
        [
            'payments.invoice_number',
            'cast(payments.entered_time as date)',
            'payments.payment_date',
            dbt_bill.and_so_many_more('payments.bills'),
        ]
    ) }} as reason
from payments
left join {{ ref('stg_bill__users') }} as person
    on person.organization_id = payments.organization_id and person.id = payments.created_by
where payments.best = 1
