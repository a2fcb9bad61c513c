with vendors as (
    {{ dbt_bill.versions('vendors', ['organization_id', 'id']) }}
),

vendor_bank_accounts as (
    {{ dbt_bill.versions('vendor_bank_accounts', ['organization_id', 'vendor_id']) }}
),

changes as (
    {{ dbt_bill.changes('vendors', 'id') }}
    union all
    {{ dbt_bill.changes('vendor_bank_accounts', 'vendor_id') }}
)

select
    changes.organization_id,
    vendor.currency,
    changes.vendor_id,
    vendor.name as vendor_name,
    changes.record,
    changes.field,
    changes.old_value,
    changes.new_value,
    changes.is_payment_detail,
    changes.updated_time,
    changes.noticed_time
from changes
left join {{ ref('stg_bill__vendors') }} as vendor
    on vendor.organization_id = changes.organization_id and vendor.id = changes.vendor_id
