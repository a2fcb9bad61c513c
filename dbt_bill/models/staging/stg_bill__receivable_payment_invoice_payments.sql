-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('receivable_payment_invoice_payments', [
        ('organizationId', 'organization_id', 'string'),
        ('receivedPaymentId', 'received_payment_id', 'string'),
        ('position', 'position', 'integer'),
        ('invoiceId', 'invoice_id', 'string'),
        ('amount', 'amount', 'number'),
        ('paymentDate', 'payment_date', 'date'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='receivable_payments') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__receivable_payments') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.received_payment_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
