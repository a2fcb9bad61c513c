with movements as (
    select
        organization_id,
        currency,
        vendor_id,
        coalesce(invoice_date, due_date, cast(created_time as date)) as day,
        1 as bills,
        amount as billed_amount,
        0 as credited_amount,
        0 as payments,
        0 as paid_amount,
        0 as paid_in_usd
    from {{ ref('bill__bills_enhanced') }}
    where is_live

    union all

    select
        organization_id,
        currency,
        vendor_id,
        coalesce(credit_date, cast(created_time as date)) as day,
        0 as bills,
        0 as billed_amount,
        amount as credited_amount,
        0 as payments,
        0 as paid_amount,
        0 as paid_in_usd
    from {{ ref('stg_bill__vendor_credits') }}
    where not is_deleted and not coalesce(archived, false)

    union all

    select
        organization_id,
        currency,
        vendor_id,
        coalesce(process_date, cast(created_time as date)) as day,
        0 as bills,
        0 as billed_amount,
        0 as credited_amount,
        1 as payments,
        amount as paid_amount,
        funding_amount as paid_in_usd
    from {{ ref('stg_bill__payments') }}
    where not is_deleted and status = 'PAID'
)

select
    movements.organization_id,
    movements.currency,
    movements.vendor_id,
    vendor.name as vendor_name,
    {{ dbt_bill.first_day('month', 'movements.day') }} as month,
    sum(movements.bills) as bills,
    sum(movements.billed_amount) as billed_amount,
    sum(movements.credited_amount) as credited_amount,
    sum(movements.billed_amount) - sum(movements.credited_amount) as net_spend_amount,
    sum(movements.payments) as payments,
    sum(movements.paid_amount) as paid_amount,
    sum(movements.paid_in_usd) as paid_in_usd
from movements
left join {{ ref('stg_bill__vendors') }} as vendor
    on vendor.organization_id = movements.organization_id and vendor.id = movements.vendor_id
group by
    movements.organization_id,
    movements.currency,
    movements.vendor_id,
    vendor.name,
    {{ dbt_bill.first_day('month', 'movements.day') }}
