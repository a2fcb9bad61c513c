-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('invoice_payments', [
        ('organizationId', 'organization_id', 'string'),
        ('invoiceId', 'invoice_id', 'string'),
        ('id', 'received_payment_id', 'string'),
        ('position', 'position', 'integer'),
        ('amount', 'amount', 'number'),
        ('status', 'status', 'string'),
        ('date', 'payment_date', 'date'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='invoices') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__invoices') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.invoice_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
