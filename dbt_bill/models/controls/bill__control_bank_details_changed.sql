with changes as (
    select
        organization_id,
        vendor_id,
        position,
        field_name,
        user_id,
        created_time as changed_time,
        cast(created_time as date) as changed_date
    from {{ ref('stg_bill__vendor_audit_trail') }}
    where not is_deleted
        and (
            {%- for word in var('bill_bank_detail_words') %}
            {{ 'or ' if not loop.first -}}
            {{ dbt_bill.bare_text('field_name') }} like '%{{ word | lower | replace(' ', '') }}%'
            {%- endfor %}
        )
),

ranked as (
    select
        payment.*,
        changes.field_name,
        changes.user_id,
        changes.changed_time,
        changes.changed_date,
        {{ dbt.datediff('changes.changed_date', 'payment.payment_date', 'day') }} as days_after,
        row_number() over (
            partition by payment.organization_id, payment.payment_id
            order by changes.changed_time desc, changes.position
        ) as best
    from {{ ref('int_bill__live_payments') }} as payment
    inner join changes
        on changes.organization_id = payment.organization_id and changes.vendor_id = payment.vendor_id
    where {{ dbt.datediff('changes.changed_date', 'payment.payment_date', 'day') }}
        between 0 and {{ var('bill_bank_change_days') }}
)

select
    organization_id,
    currency,
    payment_id,
    vendor_id,
    vendor_name,
    payment_date,
    status,
    amount,
    field_name as changed_field,
    changed_time,
    user_id as changed_by,
    days_after,
    {{ dbt_bill.sentence(
        '{} of the vendor was changed on {}, {} days before this payment of {}.',
        ['field_name', 'changed_date', 'days_after', 'payment_date']
    ) }} as reason
from ranked
where best = 1
