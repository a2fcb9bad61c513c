with credits as (
    select
        credit.*,
        vendor.name as vendor_name,
        credit.amount - coalesce(credit.applied_amount, 0) as unapplied_amount,
        {{ dbt_bill.days_late('credit.credit_date') }} as days_old
    from {{ ref('stg_bill__vendor_credits') }} as credit
    left join {{ ref('stg_bill__vendors') }} as vendor
        on vendor.organization_id = credit.organization_id and vendor.id = credit.vendor_id
    where not credit.is_deleted and not coalesce(credit.archived, false)
)

select
    organization_id,
    currency,
    id as vendor_credit_id,
    vendor_id,
    vendor_name,
    reference_number,
    credit_date,
    days_old,
    amount,
    coalesce(applied_amount, 0) as applied_amount,
    unapplied_amount,
    {{ dbt_bill.sentence(
        '{} of the credit over {} of {} were not used in {} days.',
        [dbt_bill.amount_text('unapplied_amount'), dbt_bill.amount_text('amount'), 'credit_date', 'days_old']
    ) }} as reason
from credits
where unapplied_amount > 0 and days_old > {{ var('bill_credit_days') }}
