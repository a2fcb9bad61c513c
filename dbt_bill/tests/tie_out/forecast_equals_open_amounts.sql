-- All that is expected to leave and to come is what the open bills and invoices amount to.
with forecast as (
    select
        organization_id,
        currency,
        sum(scheduled_out_amount + due_out_amount) as out_amount,
        sum(scheduled_in_amount + due_in_amount) as in_amount
    from {{ ref('bill__cash_forecast') }}
    group by organization_id, currency
),

open_amounts as (
    select organization_id, currency, sum(open_amount) as out_amount, 0 as in_amount
    from {{ ref('bill__ap_aging') }}
    group by organization_id, currency

    union all

    select organization_id, currency, 0, sum(open_amount)
    from {{ ref('bill__ar_aging') }}
    group by organization_id, currency
),

summed as (
    select organization_id, currency, sum(out_amount) as out_amount, sum(in_amount) as in_amount
    from open_amounts
    group by organization_id, currency
)

select
    coalesce(summed.organization_id, forecast.organization_id) as organization_id,
    coalesce(summed.currency, forecast.currency) as currency,
    forecast.out_amount as forecast_out_amount,
    summed.out_amount as open_bills_amount,
    forecast.in_amount as forecast_in_amount,
    summed.in_amount as open_invoices_amount
from summed
full outer join forecast
    on forecast.organization_id = summed.organization_id and forecast.currency = summed.currency
where coalesce(forecast.out_amount, 0) <> coalesce(summed.out_amount, 0)
    or coalesce(forecast.in_amount, 0) <> coalesce(summed.in_amount, 0)
