{%- set number = 'coalesce(vendor.payment_information_bank_account_account_number, account.account_number)' -%}
{%- set routing = 'coalesce(vendor.payment_information_bank_account_routing_number, account.routing_number)' -%}

with vendors as (
    select
        vendor.organization_id,
        vendor.currency,
        vendor.id as vendor_id,
        vendor.name as vendor_name,
        vendor.created_time,
        {{ dbt_bill.bare_company_name('vendor.name') }} as bare_name,
        -- What is masked is not compared.
        {{ dbt_bill.digits('vendor.tax_id', at_least=7) }} as bare_tax_id,
        {{ dbt_bill.digits(routing) }} || '/' || {{ dbt_bill.digits(number) }} as bank_account,
        row_number() over (partition by vendor.organization_id order by vendor.created_time, vendor.id) as place
    from {{ ref('stg_bill__vendors') }} as vendor
    left join {{ ref('stg_bill__vendor_bank_accounts') }} as account
        on account.organization_id = vendor.organization_id
        and account.vendor_id = vendor.id
        and not account.is_deleted
    where not vendor.is_deleted and not coalesce(vendor.archived, false)
),

pairs as (
    {%- for column in ['bare_name', 'bare_tax_id', 'bank_account'] %}
    select
        again.organization_id,
        again.vendor_id,
        original.vendor_id as original_vendor_id,
        original.place as original_place,
        {{ 1 if column == 'bare_name' else 0 }} as same_name,
        {{ 1 if column == 'bare_tax_id' else 0 }} as same_tax_id,
        {{ 1 if column == 'bank_account' else 0 }} as same_bank_account
    from vendors as again
    inner join vendors as original
        on original.organization_id = again.organization_id
        and original.{{ column }} = again.{{ column }}
        and original.place < again.place
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

summed as (
    select
        organization_id,
        vendor_id,
        original_vendor_id,
        min(original_place) as original_place,
        max(same_name) as same_name,
        max(same_tax_id) as same_tax_id,
        max(same_bank_account) as same_bank_account
    from pairs
    group by organization_id, vendor_id, original_vendor_id
),

ranked as (
    select
        summed.*,
        row_number() over (
            partition by organization_id, vendor_id
            order by same_name + same_tax_id + same_bank_account desc, original_place
        ) as best
    from summed
)

select
    again.organization_id,
    again.currency,
    again.vendor_id,
    again.vendor_name,
    again.created_time,
    original.vendor_id as original_vendor_id,
    original.vendor_name as original_vendor_name,
    original.created_time as original_created_time,
    ranked.same_name = 1 as is_same_name,
    ranked.same_tax_id = 1 as is_same_tax_id,
    ranked.same_bank_account = 1 as is_same_bank_account,
    {{ dbt_bill.sentence(
        'Agrees with the vendor {} of {}:{}{}{}.',
        [
            'original.vendor_name',
            'cast(original.created_time as date)',
            "case when ranked.same_name = 1 then ' name' else '' end",
            "case when ranked.same_tax_id = 1 then ' tax id' else '' end",
            "case when ranked.same_bank_account = 1 then ' bank account' else '' end",
        ]
    ) }} as reason
from ranked
inner join vendors as again
    on again.organization_id = ranked.organization_id and again.vendor_id = ranked.vendor_id
inner join vendors as original
    on original.organization_id = ranked.organization_id and original.vendor_id = ranked.original_vendor_id
where ranked.best = 1
