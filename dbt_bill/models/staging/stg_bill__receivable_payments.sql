-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('receivable_payments', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('customerId', 'customer_id', 'string'),
        ('referenceNumber', 'reference_number', 'string'),
        ('description', 'description', 'string'),
        ('paymentDate', 'payment_date', 'date'),
        ('status', 'status', 'string'),
        ('onlinePayment', 'online_payment', 'boolean'),
        ('receivablesType', 'receivables_type', 'string'),
        ('amount', 'amount', 'number'),
        ('unappliedAmount', 'unapplied_amount', 'number'),
        ('convenienceFeeAmount', 'convenience_fee_amount', 'number'),
        ('fundingAccount.id', 'funding_account_id', 'string'),
        ('fundingAccount.type', 'funding_account_type', 'string'),
        ('receivablesAccount.id', 'receivables_account_id', 'string'),
        ('receivablesAccount.type', 'receivables_account_type', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='receivable_payments') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__customers') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.customer_id
