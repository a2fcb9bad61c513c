{#-
  The columns together occur once, and none of them is null.

  Args:
    columns: the key.
    nullable: those of its columns that may be null; two nulls are the same.
-#}
{% test unique_key(model, columns, nullable=[]) %}
    {%- set key = columns | join(', ') -%}
    select {{ key }}, count(*) as times
    from {{ model }}
    group by {{ key }}
    having count(*) > 1
    {%- for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}
{% endtest %}
