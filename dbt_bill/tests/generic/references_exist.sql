{#-
  What a row refers to exists in the same organization. One test for all references of a model; those to tables that
  were never loaded are not tested, because a role may not be allowed to read them.

  Only a warning: BILL deletes some records that others still name.

  Args:
    references: column, stream (`to`) and its `field`.
-#}
{% test references_exist(model, references) %}
    {{- config(severity='warn') -}}
    {%- set parts = [] -%}
    {%- for reference in references -%}
        {%- set target = ref('stg_bill__' ~ reference.to) -%}
        {%- if dbt_bill.loaded_table(reference.to) is not none -%}
            {%- set part -%}
    select
        child.organization_id,
        '{{ reference.column }}' as reference,
        child.{{ reference.column }} as missing,
        count(*) as times
    from {{ model }} as child
    left join {{ target }} as target
        on target.organization_id = child.organization_id
        and target.{{ reference.field }} = child.{{ reference.column }}
    where child.{{ reference.column }} is not null and target.organization_id is null
    group by child.organization_id, child.{{ reference.column }}
            {%- endset -%}
            {%- do parts.append(part) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ parts | join('\n    union all\n') if parts else 'select 1 as nothing where 1 = 0' }}
{% endtest %}
