-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('vendor_credits', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('referenceNumber', 'reference_number', 'string'),
        ('creditDate', 'credit_date', 'date'),
        ('description', 'description', 'string'),
        ('archived', 'archived', 'boolean'),
        ('status', 'status', 'string'),
        ('amount', 'amount', 'number'),
        ('appliedAmount', 'applied_amount', 'number'),
        ('applyToChartOfAccountId', 'apply_to_chart_of_account_id', 'string'),
        ('applyToBankAccountId', 'apply_to_bank_account_id', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='vendor_credits') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__vendors') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.vendor_id
