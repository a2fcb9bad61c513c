{#-
  A sentence with values in it: text in which each `{}` stands for one of the values, in their order. A value that is
  null is a question mark, so that the sentence is never null.

  Args:
    text: the sentence.
    values: SQL expressions.
-#}
{% macro sentence(text, values) %}
    {%- set parts = [] -%}
    {%- for piece in text.split('{}') -%}
        {%- if piece -%}{%- do parts.append("'" ~ dbt.escape_single_quotes(piece) ~ "'") -%}{%- endif -%}
        {%- if not loop.last -%}
            {%- set value = 'cast(' ~ values[loop.index0] ~ ' as ' ~ dbt_bill.column_type('string') ~ ')' -%}
            {%- do parts.append('coalesce(' ~ value ~ ", '?')") -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(dbt.concat(parts)) -}}
{% endmacro %}

{#-
  An amount as text, the same in every warehouse, whatever number of decimals it keeps: whole, with two decimals, or with
  as many as it takes.
-#}
{% macro amount_text(amount) %}
    {%- set text, whole = dbt_bill.column_type('string'), dbt_bill.column_type('integer') -%}
    {{- return(
        "(case when " ~ amount ~ " = round(" ~ amount ~ ", 0) then cast(cast(" ~ amount ~ " as " ~ whole ~ ") as " ~ text
        ~ ") when " ~ amount ~ " = round(" ~ amount ~ ", 2) then " ~ dbt_bill.with_two_decimals(amount)
        ~ " else rtrim(cast(" ~ amount ~ " as " ~ text ~ "), '0') end)"
    ) -}}
{% endmacro %}

{#- The text of an amount that has no more than two decimals, with two. -#}
{% macro with_two_decimals(amount) %}
    {{- return(adapter.dispatch('with_two_decimals', 'dbt_bill')(amount)) -}}
{% endmacro %}

{% macro default__with_two_decimals(amount) %}
    {{- return('cast(cast(' ~ amount ~ ' as numeric(38, 2)) as ' ~ dbt_bill.column_type('string') ~ ')') -}}
{% endmacro %}

{% macro bigquery__with_two_decimals(amount) %}
    {{- return("format('%.2f', " ~ amount ~ ')') -}}
{% endmacro %}

{#- A text without its spaces and punctuation, in small letters; null if nothing is left. Letters of any script stay. -#}
{% macro bare_text(text) %}
    {{- return(adapter.dispatch('bare_text', 'dbt_bill')(text)) -}}
{% endmacro %}

{% macro default__bare_text(text) %}
    {{- return("nullif(regexp_replace(lower(" ~ text ~ "), '[[:punct:][:space:]]+', '', 'g'), '')") -}}
{% endmacro %}

{#- The digits of a text; null if there are fewer than so many. -#}
{% macro digits(text, at_least=1) %}
    {%- set found = adapter.dispatch('digits', 'dbt_bill')(text) -%}
    {{- return('case when length(' ~ found ~ ') >= ' ~ at_least ~ ' then ' ~ found ~ ' end') -}}
{% endmacro %}

{% macro default__digits(text) %}
    {{- return("regexp_replace(" ~ text ~ ", '[^0-9]+', '', 'g')") -}}
{% endmacro %}

{#- An invoice number as one would compare it: bare, and without zeros in front of a number. -#}
{% macro bare_invoice_number(text) %}
    {{- return(dbt_bill.bare_text(adapter.dispatch('without_leading_zeros', 'dbt_bill')(text))) -}}
{% endmacro %}

{% macro default__without_leading_zeros(text) %}
    {{- return("regexp_replace(" ~ text ~ ", '(^|[^0-9])0+', '\\1', 'g')") -}}
{% endmacro %}

{#- The name of a company as one would compare it: bare, `and` being `&`, and without its legal form. -#}
{% macro bare_company_name(text) %}
    {{- return(dbt_bill.bare_text(adapter.dispatch('without_legal_form', 'dbt_bill')(text))) -}}
{% endmacro %}

{% macro default__without_legal_form(text) %}
    {%- set forms = 'incorporated|inc|llc|llp|ltd|limited|corporation|corp|company|co|plc|gmbh|ag|sa|bv' -%}
    {%- set joined = "regexp_replace(lower(" ~ text ~ "), '[[:space:]]+and[[:space:]]+', ' & ', 'g')" -%}
    {{- return("regexp_replace(" ~ joined ~ ", '[[:space:][:punct:]]+(" ~ forms ~ ")[[:punct:][:space:]]*$', '')") -}}
{% endmacro %}

{#- The number that a text says; null if it says none. -#}
{% macro number_in(text) %}
    {{- return(adapter.dispatch('number_in', 'dbt_bill')(text)) -}}
{% endmacro %}

{% macro default__number_in(text) %}
    {{- return(dbt.safe_cast(text, dbt_bill.column_type('number'))) -}}
{% endmacro %}

{% macro postgres__number_in(text) %}
    {%- set type_ = dbt_bill.column_type('number') -%}
    {{- return("case when " ~ text ~ " ~ '^[0-9]+([.][0-9]+)?$' then cast(" ~ text ~ " as " ~ type_ ~ ") end") -}}
{% endmacro %}

{% macro duckdb__number_in(text) %}
    {{- return('try_cast(' ~ text ~ ' as decimal(38, 9))') -}}
{% endmacro %}

{#- A number of the project's configuration, exactly as it is written there. -#}
{% macro exact_number(value) %}
    {{- return("cast('" ~ value ~ "' as " ~ dbt_bill.column_type('number') ~ ")") -}}
{% endmacro %}

{#- The end of a sentence about one of several: nothing if there is only one. -#}
{% macro and_so_many_more(count) %}
    {%- set text = "cast(" ~ count ~ " - 1 as " ~ dbt_bill.column_type("string") ~ ")" -%}
    {%- set more = dbt.concat(["' (and so for '", text, "' more)'"]) -%}
    {{- return("case when " ~ count ~ " > 1 then " ~ more ~ " else '' end") -}}
{% endmacro %}
