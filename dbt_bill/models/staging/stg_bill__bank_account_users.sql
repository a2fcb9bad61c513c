-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bank_account_users', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('bankAccountId', 'bank_account_id', 'string'),
        ('userId', 'user_id', 'string'),
        ('verificationStatus', 'verification_status', 'string'),
        ('archived', 'archived', 'boolean'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bank_account_users') }}
)

select loaded.*
from loaded
