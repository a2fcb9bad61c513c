-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('bank_accounts', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('bankName', 'bank_name', 'string'),
        ('nameOnAccount', 'name_on_account', 'string'),
        ('accountNumber', 'account_number', 'string'),
        ('routingNumber', 'routing_number', 'string'),
        ('type', 'type', 'string'),
        ('ownerType', 'owner_type', 'string'),
        ('status', 'status', 'string'),
        ('archived', 'archived', 'boolean'),
        ('default.payables', 'default_payables', 'boolean'),
        ('default.receivables', 'default_receivables', 'boolean'),
        ('accessToAdmins', 'access_to_admins', 'boolean'),
        ('chartOfAccountId', 'chart_of_account_id', 'string'),
        ('createdBy', 'created_by', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='bank_accounts') }}
)

select loaded.*
from loaded
