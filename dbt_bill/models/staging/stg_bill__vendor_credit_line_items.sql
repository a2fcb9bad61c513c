-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('vendor_credit_line_items', [
        ('organizationId', 'organization_id', 'string'),
        ('vendorCreditId', 'vendor_credit_id', 'string'),
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
        ('classifications.customerId', 'customer_id', 'string'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='vendor_credits') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__vendor_credits') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.vendor_credit_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
