{#- What the warehouse calls the types of schemas/. Amounts are decimals everywhere. -#}
{% macro column_types() %}
    {{- return(adapter.dispatch('column_types', 'dbt_bill')()) -}}
{% endmacro %}

{% macro default__column_types() %}
    {{- return({
        'string': 'text',
        'boolean': 'boolean',
        'integer': 'bigint',
        'number': 'numeric',
        'date': 'date',
        'date-time': 'timestamp',
        'json': 'jsonb',
        'array': 'text[]',
    }) -}}
{% endmacro %}

{% macro column_type(kind) %}
    {{- return(dbt_bill.column_types()[kind]) -}}
{% endmacro %}

{#- The text of a field inside a JSON column, at a path of one name or more. -#}
{% macro default__json_text(column, path) %}
    {{- return(column ~ " #>> '{" ~ path | join(',') ~ "}'") -}}
{% endmacro %}

{#- An instant that is written in any time zone, as the loader stores the times of columns: in UTC. -#}
{% macro default__instant(text) %}
    {{- return('cast(' ~ text ~ " as timestamptz) at time zone 'utc'") -}}
{% endmacro %}
