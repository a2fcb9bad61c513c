-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_transaction_receipts', [
        ('organizationId', 'organization_id', 'string'),
        ('transactionUuid', 'transaction_uuid', 'string'),
        ('uuid', 'uuid', 'string'),
        ('position', 'position', 'integer'),
        ('filename', 'filename', 'string'),
        ('url', 'url', 'string'),
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
