-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('invoice_attachments', [
        ('organizationId', 'organization_id', 'string'),
        ('invoiceId', 'invoice_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('downloadLink', 'download_link', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='invoice_attachments') }}
)

select loaded.*
from loaded
