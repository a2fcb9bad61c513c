-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('credit_memo_usage', [
        ('organizationId', 'organization_id', 'string'),
        ('creditMemoId', 'credit_memo_id', 'string'),
        ('position', 'position', 'integer'),
        ('invoiceId', 'invoice_id', 'string'),
        ('amount', 'amount', 'number'),
        ('parentUpdatedTime', 'parent_updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='credit_memos') }}
)

-- The present lines are those that carry their parent's present time.
select
    loaded.*,
    parent.currency
from loaded
inner join {{ ref('stg_bill__credit_memos') }} as parent
    on parent.organization_id = loaded.organization_id
    and parent.id = loaded.credit_memo_id
    and case when parent.updated_time is not distinct from loaded.parent_updated_time
        then true else false end
