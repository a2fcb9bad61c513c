{%- set year_begins = dbt_bill.first_day('year', dbt_bill.as_of()) -%}

with paid as (
    select organization_id, vendor_id, sum(amount) as paid_amount
    from {{ ref('int_bill__live_payments') }}
    where status = 'PAID' and payment_date between {{ year_begins }} and {{ dbt_bill.as_of() }}
    group by organization_id, vendor_id
)

select
    vendor.organization_id,
    vendor.currency,
    vendor.id as vendor_id,
    vendor.name as vendor_name,
    vendor.account_type,
    vendor.created_time,
    {{ year_begins }} as year_begins,
    coalesce(paid.paid_amount, 0) as paid_amount,
    {{ dbt_bill.sentence(
        'Tracked for Form 1099 without a tax id; {} were paid since {}.',
        [dbt_bill.amount_text('coalesce(paid.paid_amount, 0)'), year_begins]
    ) }} as reason
from {{ ref('stg_bill__vendors') }} as vendor
left join paid
    on paid.organization_id = vendor.organization_id and paid.vendor_id = vendor.id
where not vendor.is_deleted
    and not coalesce(vendor.archived, false)
    and vendor.track1099
    and coalesce(trim(vendor.tax_id), '') = ''
