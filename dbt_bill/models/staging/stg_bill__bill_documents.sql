-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bill_documents', [
        ('organizationId', 'organization_id', 'string'),
        ('billId', 'bill_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('downloadLink', 'download_link', 'string'),
        ('scanStatus', 'scan_status', 'string'),
        ('numOfPages', 'num_of_pages', 'integer'),
        ('createdTime', 'created_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bill_documents') }}
)

select loaded.*
from loaded
