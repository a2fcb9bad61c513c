{%- set columns = [
    ('organizationId', 'organization_id', 'string'),
    ('_sdc_extracted_at', 'extracted_time', 'date-time'),
] -%}
{%- set tables = graph.sources.values() | selectattr('source_name', 'eq', 'bill') | map(attribute='name') if execute else [] -%}

with counted as (
    {%- for table in tables | sort %}
    select organization_id, '{{ table }}' as table_name, count(*) as row_count, max(extracted_time) as last_read_time
    from ({{ dbt_bill.loaded_rows(table, columns) }}) as loaded
    group by organization_id
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

organizations as (
    select organization_id, max(name) as organization_name
    from {{ ref('stg_bill__organization') }}
    where not is_deleted
    group by organization_id
)

select
    counted.organization_id,
    organizations.organization_name,
    counted.table_name,
    counted.row_count,
    counted.last_read_time
from counted
left join organizations
    on organizations.organization_id = counted.organization_id
