with bills as (
    select
        bill.*,
        trim(bill.invoice_number) as compared_number,
        row_number() over (
            partition by bill.organization_id, bill.vendor_id, trim(bill.invoice_number), bill.amount, bill.invoice_date
            order by bill.created_time, bill.bill_id
        ) as place
    from {{ ref('bill__bills_enhanced') }} as bill
    where bill.is_live and trim(bill.invoice_number) <> ''
)

select
    again.organization_id,
    again.currency,
    again.bill_id,
    again.vendor_id,
    again.vendor_name,
    again.invoice_number,
    again.invoice_date,
    again.amount,
    again.payment_status,
    again.created_time as entered_time,
    original.bill_id as original_bill_id,
    original.payment_status as original_payment_status,
    original.created_time as original_entered_time,
    {{ dbt_bill.sentence(
        'Invoice {} of {} over {} was entered on {}, and again on {}.',
        [
            'again.invoice_number', 'again.invoice_date', dbt_bill.amount_text('again.amount'),
            'cast(original.created_time as date)', 'cast(again.created_time as date)',
        ]
    ) }} as reason
from bills as again
inner join bills as original
    on original.organization_id = again.organization_id
    and original.vendor_id = again.vendor_id
    and original.compared_number = again.compared_number
    and original.amount = again.amount
    and original.invoice_date is not distinct from again.invoice_date
    and original.place = 1
where again.place > 1
