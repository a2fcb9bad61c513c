-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('vendor_audit_trail', [
        ('organizationId', 'organization_id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('position', 'position', 'integer'),
        ('source', 'source', 'string'),
        ('type', 'type', 'string'),
        ('user.id', 'user_id', 'string'),
        ('user.name', 'user_name', 'string'),
        ('field.name', 'field_name', 'string'),
        ('field.value.previous', 'field_value_previous', 'string'),
        ('field.value.current', 'field_value_current', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='vendor_audit_trail') }}
)

select loaded.*
from loaded
