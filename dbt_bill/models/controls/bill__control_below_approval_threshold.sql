{%- set least = dbt_bill.exact_number(100 - var('bill_below_threshold_percent')) ~ ' / 100' -%}

with bills as (
    select
        bill.organization_id,
        bill.bill_id,
        min(thresholds.threshold_amount) as threshold_amount
    from {{ ref('bill__bills_enhanced') }} as bill
    inner join {{ ref('int_bill__approval_thresholds') }} as thresholds
        on thresholds.organization_id = bill.organization_id
        and bill.amount_in_usd < thresholds.threshold_amount
        and bill.amount_in_usd >= thresholds.threshold_amount * {{ least }}
    where bill.is_live
    group by bill.organization_id, bill.bill_id
)

select
    bill.organization_id,
    bill.currency,
    bill.bill_id,
    bill.vendor_id,
    bill.vendor_name,
    bill.invoice_number,
    bill.invoice_date,
    bill.amount,
    bill.amount_in_usd,
    bills.threshold_amount,
    bill.approval_status,
    bill.payment_status,
    bill.created_by,
    {{ dbt_bill.sentence(
        '{} US dollars are just below {}, from which on bills need approval.',
        [dbt_bill.amount_text('bill.amount_in_usd'), dbt_bill.amount_text('bills.threshold_amount')]
    ) }} as reason
from bills
inner join {{ ref('bill__bills_enhanced') }} as bill
    on bill.organization_id = bills.organization_id and bill.bill_id = bills.bill_id
