-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_custom_fields', [
        ('organizationId', 'organization_id', 'string'),
        ('uuid', 'uuid', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('description', 'description', 'string'),
        ('type', 'type', 'string'),
        ('multiSelect', 'multi_select', 'boolean'),
        ('allowCustomValues', 'allow_custom_values', 'boolean'),
        ('minimumAmountForRequirement', 'minimum_amount_for_requirement', 'number'),
        ('required', 'required', 'boolean'),
        ('global', 'global', 'boolean'),
        ('retired', 'retired', 'boolean'),
        ('selectedBudgetIds', 'selected_budget_ids', 'array'),
        ('selectedBudgetUuids', 'selected_budget_uuids', 'array'),
        ('requiredBudgetIds', 'required_budget_ids', 'array'),
        ('requiredBudgetUuids', 'required_budget_uuids', 'array'),
        ('createdTime', 'created_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_custom_fields') }}
)

select loaded.*
from loaded
