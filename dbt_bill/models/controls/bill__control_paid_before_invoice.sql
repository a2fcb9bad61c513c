with payments as (
    select
        payment.organization_id,
        payment.currency,
        payment.payment_id,
        payment.bill_id,
        payment.vendor_id,
        payment.vendor_name,
        bill.invoice_number,
        bill.invoice_date,
        payment.payment_date,
        payment.status,
        {{ dbt.datediff('payment.payment_date', 'bill.invoice_date', 'day') }} as days_before,
        count(*) over (partition by payment.organization_id, payment.payment_id) as bills,
        sum(payment.amount) over (partition by payment.organization_id, payment.payment_id) as amount,
        row_number() over (
            partition by payment.organization_id, payment.payment_id
            order by bill.invoice_date desc, payment.bill_id
        ) as best
    from {{ ref('int_bill__live_bill_payments') }} as payment
    inner join {{ ref('bill__bills_enhanced') }} as bill
        on bill.organization_id = payment.organization_id and bill.bill_id = payment.bill_id
    where bill.is_live and payment.payment_date < bill.invoice_date
)

select
    organization_id,
    currency,
    payment_id,
    bill_id,
    vendor_id,
    vendor_name,
    invoice_number,
    invoice_date,
    payment_date,
    status,
    days_before,
    bills,
    amount,
    {{ dbt_bill.sentence(
        'Paid on {}, {} days before the date of invoice {}, {}{}.',
        ['payment_date', 'days_before', 'invoice_number', 'invoice_date', dbt_bill.and_so_many_more('bills')]
    ) }} as reason
from payments
where best = 1
