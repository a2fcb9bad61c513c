-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.
{% do dbt_bill.require_a_table() %}

with loaded as (
    {{ dbt_bill.loaded_rows('sync_audit', [
        ('organizationId', 'organization_id', 'string'),
        ('stream', 'stream', 'string'),
        ('startedAt', 'started_at', 'date-time'),
        ('completedAt', 'completed_at', 'date-time'),
        ('rows', 'row_count', 'integer'),
    ]) }}
)

select
    loaded.*,
    loaded.started_at = max(loaded.started_at) over (partition by loaded.organization_id, loaded.stream) as is_latest
from loaded
