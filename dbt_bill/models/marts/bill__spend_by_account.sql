{%- set grain = [
    'organization_id', 'currency', 'expense_type', dbt_bill.first_day('month', 'expense_date'), 'account_id',
    'account_number', 'account_name', 'class_id', 'class_name', 'department_id', 'department_name', 'location_id',
    'location_name',
] -%}

select
    {%- for column in grain %}
    {{ column }}{{ ' as month' if loop.index == 4 }},
    {%- endfor %}
    count(*) as lines,
    sum(amount) as amount
from {{ ref('bill__expense_detail') }}
where expense_type in ('bill', 'vendor_credit')
    or (expense_type = 'card' and state = 'cleared')
group by {{ grain | join(', ') }}
