-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_reimbursements', [
        ('organizationId', 'organization_id', 'string'),
        ('uuid', 'uuid', 'string'),
        ('id', 'id', 'string'),
        ('amount', 'amount', 'number'),
        ('fulfillmentType', 'fulfillment_type', 'string'),
        ('fundRequestAmount', 'fund_request_amount', 'number'),
        ('fundRequestBudgetAmount', 'fund_request_budget_amount', 'number'),
        ('merchantName', 'merchant_name', 'string'),
        ('note', 'note', 'string'),
        ('submittedTime', 'submitted_time', 'date-time'),
        ('occurredDate', 'occurred_date', 'date'),
        ('retired', 'retired', 'boolean'),
        ('status', 'status', 'string'),
        ('type', 'type', 'string'),
        ('batchId', 'batch_id', 'string'),
        ('batchAmount', 'batch_amount', 'number'),
        ('budgetId', 'budget_id', 'string'),
        ('budgetUuid', 'budget_uuid', 'string'),
        ('userId', 'user_id', 'string'),
        ('userUuid', 'user_uuid', 'string'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_reimbursements') }}
)

select
    loaded.*,
    'USD' as currency
from loaded
