{#-
  What differs between warehouses, and nothing else does: the names of types, and how JSON is opened.
  PostgreSQL is the default; Snowflake, BigQuery and DuckDB say here where they differ.
-#}

{#- What the warehouse calls the types of schemas/. Amounts are decimals everywhere, never floats. -#}
{% macro column_types() %}
    {{- return(adapter.dispatch('column_types', 'dbt_bill')()) -}}
{% endmacro %}

{% macro column_type(kind) %}
    {{- return(dbt_bill.column_types()[kind]) -}}
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

{% macro duckdb__column_types() %}
    {{- return(dict(dbt_bill.default__column_types(), **{
        'number': 'decimal(38, 9)',
        'json': 'json',
    })) -}}
{% endmacro %}

{% macro snowflake__column_types() %}
    {{- return(dict(dbt_bill.default__column_types(), **{
        'number': 'number(38, 9)',
        'date-time': 'timestamp_ntz',
        'json': 'variant',
        'array': 'variant',
    })) -}}
{% endmacro %}

{% macro bigquery__column_types() %}
    {{- return(dict(dbt_bill.default__column_types(), **{
        'string': 'string',
        'boolean': 'bool',
        'integer': 'int64',
        'number': 'numeric',
        'json': 'json',
        'array': 'json',
    })) -}}
{% endmacro %}

{#- The text of a field inside a JSON column, at a path of one name or more; null where it is JSON's null. -#}
{% macro default__json_text(column, path) %}
    {{- return(column ~ " #>> '{" ~ path | join(',') ~ "}'") -}}
{% endmacro %}

{% macro duckdb__json_text(column, path) %}
    {{- return('json_extract_string(' ~ column ~ ", '$." ~ path | join('.') ~ "')") -}}
{% endmacro %}

{% macro snowflake__json_text(column, path) %}
    {{- return('cast(get_path(' ~ column ~ ", '" ~ path | join('.') ~ "') as varchar)") -}}
{% endmacro %}

{% macro bigquery__json_text(column, path) %}
    {{- return('json_value(' ~ column ~ ", '$." ~ path | join('.') ~ "')") -}}
{% endmacro %}

{#- An instant that is written in any time zone, as the loader stores the times of columns: in UTC. -#}
{% macro default__instant(text) %}
    {{- return('cast(' ~ text ~ " as timestamptz) at time zone 'utc'") -}}
{% endmacro %}

{% macro snowflake__instant(text) %}
    {{- return("cast(convert_timezone('UTC', to_timestamp_tz(" ~ text ~ ')) as timestamp_ntz)') -}}
{% endmacro %}

{% macro bigquery__instant(text) %}
    {{- return('cast(' ~ text ~ ' as timestamp)') -}}
{% endmacro %}
