{#- The day that agings and forecasts are reckoned on. -#}
{% macro as_of() %}
    {%- set day = var('bill_as_of', none) -%}
    {{- return("cast('" ~ day ~ "' as date)" if day else 'current_date') -}}
{% endmacro %}

{#- Days from a date to that day: negative for a date to come. -#}
{% macro days_late(day) %}
    {{- return(dbt.datediff(day, dbt_bill.as_of(), 'day')) -}}
{% endmacro %}

{#- The first day of the week or month of a date. -#}
{% macro first_day(part, day) %}
    {{- return('cast(' ~ dbt.date_trunc(part, day) ~ ' as date)') -}}
{% endmacro %}

{#- Open amounts by how long they have been due. What has no due date is not due. -#}
{% macro aging_amounts(amount, due_date) %}
    {%- set late = dbt_bill.days_late(due_date) -%}
    sum(case when {{ due_date }} is null or {{ late }} <= 0 then {{ amount }} else 0 end) as not_due_amount,
    sum(case when {{ late }} between 1 and 30 then {{ amount }} else 0 end) as days_1_to_30_amount,
    sum(case when {{ late }} between 31 and 60 then {{ amount }} else 0 end) as days_31_to_60_amount,
    sum(case when {{ late }} between 61 and 90 then {{ amount }} else 0 end) as days_61_to_90_amount,
    sum(case when {{ late }} > 90 then {{ amount }} else 0 end) as over_90_days_amount,
    sum({{ amount }}) as open_amount
{% endmacro %}
