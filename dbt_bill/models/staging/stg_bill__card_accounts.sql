-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('card_accounts', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('archived', 'archived', 'boolean'),
        ('createdBy', 'created_by', 'string'),
        ('issuingBankName', 'issuing_bank_name', 'string'),
        ('nameOnAccount', 'name_on_account', 'string'),
        ('brand', 'brand', 'string'),
        ('type', 'type', 'string'),
        ('status', 'status', 'string'),
        ('last4', 'last4', 'string'),
        ('expiration.year', 'expiration_year', 'string'),
        ('expiration.month', 'expiration_month', 'string'),
        ('default.payables', 'default_payables', 'boolean'),
        ('default.receivables', 'default_receivables', 'boolean'),
        ('default.funding', 'default_funding', 'boolean'),
        ('default.disbursement', 'default_disbursement', 'boolean'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='card_accounts') }}
)

select loaded.*
from loaded
