-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_cards', [
        ('organizationId', 'organization_id', 'string'),
        ('uuid', 'uuid', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('userId', 'user_id', 'string'),
        ('userUuid', 'user_uuid', 'string'),
        ('budgetId', 'budget_id', 'string'),
        ('budgetUuid', 'budget_uuid', 'string'),
        ('lastFour', 'last_four', 'string'),
        ('validThru', 'valid_thru', 'string'),
        ('expirationDate', 'expiration_date', 'date'),
        ('status', 'status', 'string'),
        ('deletedReason', 'deleted_reason', 'string'),
        ('type', 'type', 'string'),
        ('shareBudgetFunds', 'share_budget_funds', 'boolean'),
        ('recurring', 'recurring', 'boolean'),
        ('recurringLimit', 'recurring_limit', 'number'),
        ('currentPeriod.limit', 'current_period_limit', 'number'),
        ('currentPeriod.spent', 'current_period_spent', 'number'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_cards') }}
)

select
    loaded.*,
    'USD' as currency
from loaded
