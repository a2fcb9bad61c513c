{%- set as_of = dbt_bill.as_of() -%}

with movements as (
    select
        organization_id,
        currency,
        application_date as day,
        case when direction = 'payable' then amount else 0 end as scheduled_out_amount,
        0 as due_out_amount,
        case when direction = 'receivable' then amount else 0 end as scheduled_in_amount,
        0 as due_in_amount
    from {{ ref('bill__payment_applications') }}
    where state = 'scheduled'

    union all

    select
        organization_id,
        currency,
        due_date as day,
        0 as scheduled_out_amount,
        due_amount - coalesce(scheduled_amount, 0) as due_out_amount,
        0 as scheduled_in_amount,
        0 as due_in_amount
    from {{ ref('bill__bills_enhanced') }}
    where is_open

    union all

    select
        organization_id,
        currency,
        due_date as day,
        0 as scheduled_out_amount,
        0 as due_out_amount,
        0 as scheduled_in_amount,
        due_amount - coalesce(scheduled_amount, 0) as due_in_amount
    from {{ ref('bill__invoices_enhanced') }}
    where is_open
),

weeks as (
    select
        organization_id,
        currency,
        -- What is overdue, or has no date, is expected now.
        case when day > {{ as_of }} then {{ dbt_bill.first_day('week', 'day') }}
            else {{ dbt_bill.first_day('week', as_of) }} end as week,
        scheduled_out_amount,
        due_out_amount,
        scheduled_in_amount,
        due_in_amount
    from movements
),

sums as (
    select
        organization_id,
        currency,
        week,
        sum(scheduled_out_amount) as scheduled_out_amount,
        sum(due_out_amount) as due_out_amount,
        sum(scheduled_in_amount) as scheduled_in_amount,
        sum(due_in_amount) as due_in_amount
    from weeks
    group by organization_id, currency, week
)

select
    organization_id,
    currency,
    week,
    {{ as_of }} as as_of_date,
    scheduled_out_amount,
    due_out_amount,
    scheduled_in_amount,
    due_in_amount,
    scheduled_in_amount + due_in_amount - scheduled_out_amount - due_out_amount as net_amount,
    sum(scheduled_in_amount + due_in_amount - scheduled_out_amount - due_out_amount) over (
        partition by organization_id, currency
        order by week
        rows between unbounded preceding and current row
    ) as cumulative_net_amount
from sums
