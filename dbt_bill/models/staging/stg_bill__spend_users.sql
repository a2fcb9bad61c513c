-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('spend_users', [
        ('organizationId', 'organization_id', 'string'),
        ('uuid', 'uuid', 'string'),
        ('id', 'id', 'string'),
        ('firstName', 'first_name', 'string'),
        ('lastName', 'last_name', 'string'),
        ('email', 'email', 'string'),
        ('receiptEmail', 'receipt_email', 'string'),
        ('retired', 'retired', 'boolean'),
        ('useCompanyMailingAddress', 'use_company_mailing_address', 'boolean'),
        ('smsOptIn', 'sms_opt_in', 'boolean'),
        ('hasDateOfBirth', 'has_date_of_birth', 'boolean'),
        ('role', 'role', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='spend_users') }}
)

select loaded.*
from loaded
