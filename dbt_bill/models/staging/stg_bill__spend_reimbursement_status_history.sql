-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_reimbursement_status_history', [
        ('organizationId', 'organization_id', 'string'),
        ('reimbursementUuid', 'reimbursement_uuid', 'string'),
        ('position', 'position', 'integer'),
        ('actorId', 'actor_id', 'string'),
        ('actorRole', 'actor_role', 'string'),
        ('occurredTime', 'occurred_time', 'date-time'),
        ('note', 'note', 'string'),
        ('status', 'status', 'string'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_reimbursements') }}
)

select loaded.*
from loaded
