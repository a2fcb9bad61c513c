with bills as (
    select
        bill.*,
        coalesce(bill.invoice_date, cast(bill.created_time as date)) as bill_date,
        {{ dbt_bill.bare_invoice_number('bill.invoice_number') }} as bare_number,
        row_number() over (
            partition by bill.organization_id, bill.vendor_id
            order by bill.created_time, bill.bill_id
        ) as place
    from {{ ref('bill__bills_enhanced') }} as bill
    where bill.is_live and bill.vendor_id is not null
),

pairs as (
    {%- for column, days, same_number in [
        ('bare_number', var('bill_same_number_days'), 1),
        ('amount', var('bill_likely_duplicate_days'), 0),
    ] %}
    select
        again.organization_id,
        again.bill_id,
        original.bill_id as original_bill_id,
        original.place as original_place,
        abs({{ dbt.datediff('original.bill_date', 'again.bill_date', 'day') }}) as days_apart,
        {{ same_number }} as same_number
    from bills as again
    inner join bills as original
        on original.organization_id = again.organization_id
        and original.vendor_id = again.vendor_id
        and original.{{ column }} = again.{{ column }}
        and original.place < again.place
    where abs({{ dbt.datediff('original.bill_date', 'again.bill_date', 'day') }}) <= {{ days }}
        and again.amount <> 0
        -- Those are bill__control_exact_duplicate_bills.
        and not (
            trim(original.invoice_number) = trim(again.invoice_number)
            and original.amount = again.amount
            and original.invoice_date is not distinct from again.invoice_date
        )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ranked as (
    select
        pairs.*,
        row_number() over (
            partition by organization_id, bill_id
            order by same_number desc, days_apart, original_place
        ) as best
    from pairs
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
    original.invoice_number as original_invoice_number,
    original.invoice_date as original_invoice_date,
    original.amount as original_amount,
    original.payment_status as original_payment_status,
    ranked.same_number = 1 as is_same_number,
    ranked.days_apart,
    case when ranked.same_number = 1
        then {{ dbt_bill.sentence(
            'Invoice {} over {} has the number of invoice {} over {}, which is dated {} days apart.',
            [
                'again.invoice_number', dbt_bill.amount_text('again.amount'), 'original.invoice_number', dbt_bill.amount_text('original.amount'),
                'ranked.days_apart',
            ]
        ) }}
        else {{ dbt_bill.sentence(
            'Invoice {} has the same amount as invoice {}, {}, and is dated {} days apart.',
            ['again.invoice_number', 'original.invoice_number', dbt_bill.amount_text('again.amount'), 'ranked.days_apart']
        ) }}
    end as reason
from ranked
inner join bills as again
    on again.organization_id = ranked.organization_id and again.bill_id = ranked.bill_id
inner join bills as original
    on original.organization_id = ranked.organization_id and original.bill_id = ranked.original_bill_id
where ranked.best = 1
