{%- set no_number = 'cast(null as ' ~ dbt_bill.column_type('string') ~ ')' -%}

with classifications as (
    select organization_id, 'account' as kind, id, name, account_number as number, is_deleted
    from {{ ref('stg_bill__chart_of_accounts') }}
    {%- for kind, table in {'class': 'accounting_classes', 'department': 'departments', 'location': 'locations'}.items() %}
    union all
    select organization_id, '{{ kind }}' as kind, id, name, {{ no_number }} as number, is_deleted
    from {{ ref('stg_bill__' ~ table) }}
    {%- endfor %}
)

select * from classifications
