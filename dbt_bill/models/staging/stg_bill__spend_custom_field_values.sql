-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_custom_field_values', [
        ('organizationId', 'organization_id', 'string'),
        ('customFieldUuid', 'custom_field_uuid', 'string'),
        ('uuid', 'uuid', 'string'),
        ('id', 'id', 'string'),
        ('value', 'value', 'string'),
        ('deleted', 'deleted', 'boolean'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_custom_field_values') }}
)

select loaded.*
from loaded
