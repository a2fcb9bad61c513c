-- A payment is what was applied of it; of a received payment a part may not be applied yet. Credits: what was used.
with applied as (
    select organization_id, direction, application_type, source_id, sum(amount) as amount
    from {{ ref('bill__payment_applications') }}
    group by organization_id, direction, application_type, source_id
),

sources as (
    select organization_id, currency, 'payable' as direction, 'payment' as application_type, id as source_id, amount
    from {{ ref('stg_bill__payments') }}
    where not is_deleted

    union all

    select organization_id, currency, 'payable', 'credit', id, applied_amount
    from {{ ref('stg_bill__vendor_credits') }}
    where not is_deleted

    union all

    select organization_id, currency, 'receivable', 'payment', id, amount - coalesce(unapplied_amount, 0)
    from {{ ref('stg_bill__receivable_payments') }}
    where not is_deleted

    union all

    select organization_id, currency, 'receivable', 'credit', id, applied_amount
    from {{ ref('stg_bill__credit_memos') }}
    where not is_deleted
)

select
    sources.organization_id,
    sources.currency,
    sources.direction,
    sources.application_type,
    sources.source_id,
    sources.amount,
    applied.amount as applied_amount
from sources
left join applied
    on applied.organization_id = sources.organization_id
    and applied.direction = sources.direction
    and applied.application_type = sources.application_type
    and applied.source_id = sources.source_id
where coalesce(sources.amount, 0) <> coalesce(applied.amount, 0)
