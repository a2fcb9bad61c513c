-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bill_approvers', [
        ('organizationId', 'organization_id', 'string'),
        ('billId', 'bill_id', 'string'),
        ('position', 'position', 'integer'),
        ('userId', 'user_id', 'string'),
        ('approverOrder', 'approver_order', 'number'),
        ('status', 'status', 'string'),
        ('statusChangedTime', 'status_changed_time', 'date-time'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bills') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__bills') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.bill_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
