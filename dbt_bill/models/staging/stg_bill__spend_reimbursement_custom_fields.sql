-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_reimbursement_custom_fields', [
        ('organizationId', 'organization_id', 'string'),
        ('reimbursementUuid', 'reimbursement_uuid', 'string'),
        ('uuid', 'uuid', 'string'),
        ('position', 'position', 'integer'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('note', 'note', 'string'),
        ('isRequired', 'is_required', 'boolean'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_reimbursements') }}
)

select loaded.*
from loaded
