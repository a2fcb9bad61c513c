-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('recurring_bills', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('description', 'description', 'string'),
        ('archived', 'archived', 'boolean'),
        ('schedule.period', 'schedule_period', 'string'),
        ('schedule.frequency', 'schedule_frequency', 'integer'),
        ('schedule.nextDueDate', 'schedule_next_due_date', 'date'),
        ('schedule.endDate', 'schedule_end_date', 'date'),
        ('schedule.daysInAdvance', 'schedule_days_in_advance', 'integer'),
        ('processingOptions.autoPayment', 'processing_options_auto_payment', 'boolean'),
        ('paymentInformation.bankAccountId', 'payment_information_bank_account_id', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='recurring_bills') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__vendors') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.vendor_id
