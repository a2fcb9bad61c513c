-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_transaction_accounting_transactions', [
        ('organizationId', 'organization_id', 'string'),
        ('transactionUuid', 'transaction_uuid', 'string'),
        ('position', 'position', 'integer'),
        ('id', 'id', 'string'),
        ('billable', 'billable', 'boolean'),
        ('integrationTxId', 'integration_tx_id', 'string'),
        ('syncStatus', 'sync_status', 'string'),
        ('syncMessage', 'sync_message', 'string'),
        ('integrationType', 'integration_type', 'string'),
        ('integrationId', 'integration_id', 'string'),
        ('syncRequestId', 'sync_request_id', 'string'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_transactions') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*
from loaded
inner join {{ ref('stg_bill__spend_transactions') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.uuid = loaded.transaction_uuid
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
