-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('vendor_bank_accounts', [
        ('organizationId', 'organization_id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('nameOnAccount', 'name_on_account', 'string'),
        ('accountNumber', 'account_number', 'string'),
        ('routingNumber', 'routing_number', 'string'),
        ('type', 'type', 'string'),
        ('ownerType', 'owner_type', 'string'),
        ('paymentCurrency', 'currency', 'string'),
        ('status', 'status', 'string'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='vendor_bank_accounts') }}
)

select loaded.*
from loaded
