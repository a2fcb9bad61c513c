-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('login_organizations', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='login_organizations') }}
)

select loaded.*
from loaded
