-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bills_pending_approval', [
        ('organizationId', 'organization_id', 'string'),
        ('billId', 'bill_id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('amount', 'amount', 'number'),
        ('dueDate', 'due_date', 'date'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bills_pending_approval') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__vendors') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.vendor_id
