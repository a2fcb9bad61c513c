-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('vendor_credit_usage', [
        ('organizationId', 'organization_id', 'string'),
        ('vendorCreditId', 'vendor_credit_id', 'string'),
        ('position', 'position', 'integer'),
        ('billId', 'bill_id', 'string'),
        ('paymentId', 'payment_id', 'string'),
        ('amount', 'amount', 'number'),
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
