-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('recurring_bill_line_items', [
        ('organizationId', 'organization_id', 'string'),
        ('recurringBillId', 'recurring_bill_id', 'string'),
        ('id', 'id', 'string'),
        ('position', 'position', 'integer'),
        ('description', 'description', 'string'),
        ('amount', 'amount', 'number'),
        ('classifications.chartOfAccountId', 'chart_of_account_id', 'string'),
        ('classifications.accountingClassId', 'accounting_class_id', 'string'),
        ('classifications.departmentId', 'department_id', 'string'),
        ('classifications.employeeId', 'employee_id', 'string'),
        ('classifications.jobId', 'job_id', 'string'),
        ('classifications.locationId', 'location_id', 'string'),
        ('classifications.itemId', 'item_id', 'string'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='recurring_bills') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__recurring_bills') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.recurring_bill_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
