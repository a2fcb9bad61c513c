-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('customer_contacts', [
        ('organizationId', 'organization_id', 'string'),
        ('customerId', 'customer_id', 'string'),
        ('id', 'id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('firstName', 'first_name', 'string'),
        ('lastName', 'last_name', 'string'),
        ('email', 'email', 'string'),
        ('phone', 'phone', 'string'),
        ('altPhone', 'alt_phone', 'string'),
        ('alternateEmail', 'alternate_email', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='customer_contacts') }}
)

select loaded.*
from loaded
