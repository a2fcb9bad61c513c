with payments as (
    select * from {{ ref('int_bill__live_payments') }}
),

parts as (
    select * from {{ ref('int_bill__live_bill_payments') }}
),

paid as (
    select
        parts.*,
        sum(parts.amount) over (
            partition by parts.organization_id, parts.bill_id
            order by parts.place
            rows between unbounded preceding and current row
        ) as paid_so_far,
        row_number() over (partition by parts.organization_id, parts.bill_id order by parts.place) as turn
    from parts
),

overpaid as (
    select
        paid.organization_id,
        paid.payment_id,
        original.payment_id as original_payment_id,
        0 as days_apart,
        1 as is_same_bill,
        {{ dbt_bill.sentence(
            'With this payment, {} were paid for invoice {}, of which {} were owed.',
            [dbt_bill.amount_text('paid.paid_so_far'), 'bill.invoice_number', dbt_bill.amount_text('bill.amount - coalesce(bill.credit_amount, 0)')]
        ) }} as reason
    from paid
    inner join {{ ref('bill__bills_enhanced') }} as bill
        on bill.organization_id = paid.organization_id and bill.bill_id = paid.bill_id
    inner join paid as original
        on original.organization_id = paid.organization_id
        and original.bill_id = paid.bill_id
        and original.turn = 1
    where paid.turn > 1
        and bill.is_live
        and paid.paid_so_far > bill.amount - coalesce(bill.credit_amount, 0)
),

-- Instalments on one bill may be alike.
on_one_bill as (
    select distinct one.organization_id, one.payment_id, other.payment_id as other_payment_id
    from parts as one
    inner join parts as other
        on other.organization_id = one.organization_id and other.bill_id = one.bill_id
),

alike as (
    select
        again.organization_id,
        again.payment_id,
        original.payment_id as original_payment_id,
        {{ dbt.datediff('original.payment_date', 'again.payment_date', 'day') }} as days_apart,
        0 as is_same_bill,
        {{ dbt_bill.sentence(
            'The vendor was paid the same amount, {}, on {} and on {}.',
            [dbt_bill.amount_text('again.amount'), 'original.payment_date', 'again.payment_date']
        ) }} as reason
    from payments as again
    inner join payments as original
        on original.organization_id = again.organization_id
        and original.vendor_id = again.vendor_id
        and original.amount = again.amount
        and original.place < again.place
    left join on_one_bill
        on on_one_bill.organization_id = again.organization_id
        and on_one_bill.payment_id = again.payment_id
        and on_one_bill.other_payment_id = original.payment_id
    where again.amount <> 0
        and on_one_bill.payment_id is null
        and {{ dbt.datediff('original.payment_date', 'again.payment_date', 'day') }}
            <= {{ var('bill_duplicate_payment_days') }}
),

pairs as (
    select * from overpaid
    union all
    select * from alike
),

ranked as (
    select
        pairs.*,
        row_number() over (
            partition by organization_id, payment_id
            order by is_same_bill desc, days_apart, original_payment_id
        ) as best
    from pairs
)

select
    again.organization_id,
    again.currency,
    again.payment_id,
    again.vendor_id,
    again.vendor_name,
    again.payment_date,
    again.status,
    again.amount,
    original.payment_id as original_payment_id,
    original.payment_date as original_payment_date,
    original.status as original_status,
    ranked.is_same_bill = 1 as is_same_bill,
    ranked.reason
from ranked
inner join payments as again
    on again.organization_id = ranked.organization_id and again.payment_id = ranked.payment_id
inner join payments as original
    on original.organization_id = ranked.organization_id and original.payment_id = ranked.original_payment_id
where ranked.best = 1
