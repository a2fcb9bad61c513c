{%- set thresholds = var('bill_approval_thresholds') -%}

with policies as (
    select
        policy.organization_id,
        policy.id,
        min(rule.key) as key,
        min(rule.op) as op,
        min(rule.value) as value
    from {{ ref('stg_bill__bill_approval_policies') }} as policy
    inner join {{ ref('stg_bill__bill_approval_policy_rules') }} as rule
        on rule.organization_id = policy.organization_id and rule.bill_approval_policy_id = policy.id
    where not policy.is_deleted
        and not rule.is_deleted
        -- BILL does not document what a policy that is off is called.
        and upper(coalesce(policy.status, 'ACTIVE')) not in ('INACTIVE', 'DISABLED', 'ARCHIVED', 'DELETED')
    group by policy.organization_id, policy.id
    having count(*) = 1
),

thresholds as (
    select organization_id, {{ dbt_bill.number_in('value') }} as threshold_amount
    from policies
    where key = 'BILL_AMOUNT' and op = 'gte'
    {%- for threshold in thresholds %}
    union all
    select distinct organization_id, {{ dbt_bill.exact_number(threshold) }} as threshold_amount
    from {{ ref('stg_bill__bills') }}
    {%- endfor %}
)

select distinct organization_id, threshold_amount
from thresholds
where threshold_amount > 0
