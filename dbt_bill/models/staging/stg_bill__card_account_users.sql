-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('card_account_users', [
        ('organizationId', 'organization_id', 'string'),
        ('cardAccountId', 'card_account_id', 'string'),
        ('userId', 'user_id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('verificationStatus', 'verification_status', 'string'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='card_account_users') }}
)

select loaded.*
from loaded
