-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_budget_members', [
        ('organizationId', 'organization_id', 'string'),
        ('budgetUuid', 'budget_uuid', 'string'),
        ('userUuid', 'user_uuid', 'string'),
        ('userId', 'user_id', 'string'),
        ('spent', 'spent', 'number'),
        ('limit', 'spending_limit', 'number'),
        ('recurringLimit', 'recurring_limit', 'number'),
        ('recurring', 'recurring', 'boolean'),
        ('budgetRole', 'budget_role', 'string'),
        ('name', 'name', 'string'),
        ('retired', 'retired', 'boolean'),
        ('shareBudgetFunds', 'share_budget_funds', 'boolean'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_budget_members') }}
)

select
    loaded.*,
    'USD' as currency
from loaded
