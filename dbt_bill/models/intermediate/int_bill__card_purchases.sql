with transactions as (
    select * from {{ ref('stg_bill__spend_transactions') }}
    where not is_deleted
),

cleared as (
    select distinct organization_id, original_auth_transaction_uuid as uuid
    from transactions
    where original_auth_transaction_uuid is not null
),

split as (
    select distinct organization_id, parent_transaction_id as id
    from transactions
    where parent_transaction_id is not null
)

select
    transactions.organization_id,
    transactions.uuid,
    cast(coalesce(transactions.occurred_time, transactions.authorized_time) as date) as purchase_date,
    transactions.merchant_name,
    transactions.user_uuid,
    transactions.currency,
    case when transactions.is_credit then -abs(transactions.amount) else transactions.amount end as amount,
    case transactions.transaction_type
        when 'CLEAR' then 'cleared'
        when 'AUTHORIZATION' then 'pending'
        else 'other'
    end as state
from transactions
left join cleared
    on cleared.organization_id = transactions.organization_id
    and cleared.uuid = transactions.uuid
left join split
    on split.organization_id = transactions.organization_id
    and split.id = transactions.id
where transactions.transaction_type is distinct from 'DECLINE'
    and split.id is null
    and not (
        coalesce(transactions.transaction_type, '') = 'AUTHORIZATION'
        and (cleared.uuid is not null or transactions.matched_clear_transaction_uuid is not null)
    )
