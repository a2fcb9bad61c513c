-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_budgets', [
        ('organizationId', 'organization_id', 'string'),
        ('uuid', 'uuid', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('description', 'description', 'string'),
        ('retired', 'retired', 'boolean'),
        ('startDate', 'start_date', 'date'),
        ('expirationDate', 'expiration_date', 'date'),
        ('recurringInterval', 'recurring_interval', 'string'),
        ('timezone', 'timezone', 'string'),
        ('autoAddUsers', 'auto_add_users', 'boolean'),
        ('receiptRequired', 'receipt_required', 'boolean'),
        ('maxTxSize', 'max_tx_size', 'number'),
        ('carryOver', 'carry_over', 'boolean'),
        ('default', 'is_default', 'boolean'),
        ('parentBudgetId', 'parent_budget_id', 'string'),
        ('parentBudgetUuid', 'parent_budget_uuid', 'string'),
        ('budgetGroup', 'budget_group', 'boolean'),
        ('shareFunds', 'share_funds', 'string'),
        ('recurringLimit', 'recurring_limit', 'number'),
        ('limitlessOverspend', 'limitless_overspend', 'boolean'),
        ('limitlessGoal', 'limitless_goal', 'number'),
        ('currentPeriod.startDate', 'current_period_start_date', 'date'),
        ('currentPeriod.endDate', 'current_period_end_date', 'date'),
        ('currentPeriod.limit', 'current_period_limit', 'number'),
        ('currentPeriod.overspendBuffer', 'current_period_overspend_buffer', 'number'),
        ('currentPeriod.assigned', 'current_period_assigned', 'number'),
        ('currentPeriod.spent.cleared', 'current_period_spent_cleared', 'number'),
        ('currentPeriod.spent.pending', 'current_period_spent_pending', 'number'),
        ('currentPeriod.spent.total', 'current_period_spent_total', 'number'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_budgets') }}
)

select
    loaded.*,
    'USD' as currency
from loaded
