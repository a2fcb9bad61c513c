{#-
  Selects the rows of a table of tap-bill's under other names.

  A table that was never loaded has no rows, and a column that was not loaded is null, so that models can be built
  whatever is selected in the tap. Loaders spell `vendorId` in their own ways (target-postgres keeps it, others write
  VENDORID, vendorid or vendor_id): a column is found under any of them.

  Args:
    stream: the table.
    columns: path in the table, name and type of each column.
    audited_as: the stream whose complete reads tell which rows were deleted; none: do not mark them.
-#}
{% macro loaded_rows(stream, columns, audited_as=none) %}
    {%- set table = dbt_bill.loaded_table(stream) -%}
    {%- set audits = ref('stg_bill__sync_audit') if audited_as -%}
    {%- if execute -%}
        {%- set there = {} -%}
        {%- for column in (adapter.get_columns_in_relation(table) if table is not none else []) -%}
            {%- do there.update({dbt_bill.plain(column.name): 'loaded.' ~ adapter.quote(column.name)}) -%}
        {%- endfor -%}
        {%- set types = dbt_bill.column_types() -%}
        {%- set json_text = adapter.dispatch('json_text', 'dbt_bill') -%}
        {%- set instant = adapter.dispatch('instant', 'dbt_bill') -%}
    select
        {%- for path, name, kind in columns %}
            {%- set head, _, rest = path.partition('.') -%}
            {%- set column = there.get(dbt_bill.plain(head)) -%}
            {%- if column is none -%}
                {%- set value = 'null' -%}
            {%- elif rest -%}
                {%- set value = json_text(column, rest.split('.')) -%}
                {%- if kind == 'date-time' -%}{%- set value = instant(value) -%}{%- endif -%}
            {%- else -%}
                {%- set value = column -%}
            {%- endif %}
        {{ value if kind in ('json', 'array') and column else 'cast(' ~ value ~ ' as ' ~ types[kind] ~ ')' }} as {{ name }}
            {{- ',' if audited_as or not loop.last }}
        {%- endfor %}
        {%- if audited_as %}
        coalesce({{ there.get('sdcextractedat', 'null') }} < audit.started_at, false) as is_deleted
        {%- endif %}
    from {{ table if table is not none else '(select 1 as nothing)' }} as loaded
        {%- if audited_as %}
    left join {{ audits }} as audit
        on audit.organization_id = {{ there.get('organizationid', 'null') }}
        and audit.stream = '{{ audited_as }}'
        and audit.is_latest
        {%- endif %}
    where {{ '1 = 1' if table is not none else '1 = 0' }}
    {%- endif %}
{% endmacro %}

{#- A column's name in the one spelling in which all loaders agree. -#}
{% macro plain(name) %}
    {{- return(name | lower | replace('_', '')) -}}
{% endmacro %}

{#- The table of a stream, or none if it was never loaded. -#}
{% macro loaded_table(stream) %}
    {%- set declared = source('bill', stream) -%}
    {{- return(load_relation(declared) if execute else none) -}}
{% endmacro %}

{#- Stops, in one line, where not a single table of tap-bill's is found: then a variable names the wrong place. -#}
{% macro require_a_table() %}
    {%- if execute -%}
        {%- set there = [] -%}
        {%- set declared = graph.sources.values() | selectattr('package_name', 'equalto', 'dbt_bill') | list -%}
        {%- for table in declared if not there -%}
            {%- if adapter.get_relation(table.database, table.schema, table.identifier) is not none -%}
                {%- do there.append(table.identifier) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if not there -%}
            {%- do exceptions.raise_compiler_error(
                "No table of tap-bill's is in the schema '" ~ declared[0].schema ~ "' of the database '"
                ~ declared[0].database ~ "'. Set the variable bill_schema to the schema that your loader writes to, "
                ~ "and bill_database if it is in another database than dbt's."
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
