-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('payment_voids', [
        ('organizationId', 'organization_id', 'string'),
        ('paymentId', 'payment_id', 'string'),
        ('id', 'id', 'string'),
        ('position', 'position', 'integer'),
        ('type', 'type', 'string'),
        ('status', 'status', 'string'),
        ('reason', 'reason', 'string'),
        ('requestedBy', 'requested_by', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='payments') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__payments') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.payment_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
