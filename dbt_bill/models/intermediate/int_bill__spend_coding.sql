{%- set fields = {
    'account': var('bill_account_field'),
    'class': var('bill_class_field'),
    'department': var('bill_department_field'),
    'location': var('bill_location_field'),
} %}

with chosen as (
    {%- for record in ['transaction', 'reimbursement'] %}
    select
        field.organization_id,
        field.{{ record }}_uuid as record_uuid,
        field.name as field_name,
        coalesce(choice.value, field.note) as label
    from {{ ref('stg_bill__spend_' ~ record ~ '_custom_fields') }} as field
    left join {{ ref('stg_bill__spend_' ~ record ~ '_custom_field_values') }} as choice
        on choice.organization_id = field.organization_id
        and choice.{{ record }}_uuid = field.{{ record }}_uuid
        and choice.custom_field_uuid = field.uuid
        and not choice.is_deleted
    where not field.is_deleted
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

labels as (
    select
        organization_id,
        record_uuid
        {%- for kind, name in fields.items() %},
        case
            when count(distinct case when field_name = '{{ name }}' then label end) > 1 then '(several)'
            else max(case when field_name = '{{ name }}' then label end)
        end as {{ kind }}_label
        {%- endfor %}
    from chosen
    group by organization_id, record_uuid
),

-- A name that several have does not tell which is meant. No row is filtered out here: planners take a filter on a count
-- for one that leaves a single row, and then compare every label with every name.
named as (
    select
        organization_id,
        kind,
        lower(name) as label,
        case when count(*) = 1 then min(id) end as id
    from {{ ref('int_bill__classifications') }}
    group by organization_id, kind, lower(name)
)

select
    labels.*
    {%- for kind in fields %},
    {{ kind }}.id as {{ kind }}_id
    {%- endfor %}
from labels
{%- for kind in fields %}
left join named as {{ kind }}
    on {{ kind }}.organization_id = labels.organization_id
    and {{ kind }}.kind = '{{ kind }}'
    and {{ kind }}.label = lower(labels.{{ kind }}_label)
{%- endfor %}
