{%- set kinds = ['account', 'class', 'department', 'location'] -%}
{%- set text = dbt_bill.column_type('string') -%}

with coded as (
    select
        line.organization_id,
        line.currency,
        'bill' as expense_type,
        line.bill_id as document_id,
        line.id as line_id,
        coalesce(bill.invoice_date, bill.due_date) as expense_date,
        bill.vendor_name as payee,
        cast(null as {{ text }}) as user_uuid,
        line.description,
        lower(bill.payment_status) as state,
        line.amount,
        line.chart_of_account_id as account_id,
        line.accounting_class_id as class_id,
        line.department_id,
        line.location_id,
        cast(null as {{ text }}) as account_label,
        cast(null as {{ text }}) as class_label,
        cast(null as {{ text }}) as department_label,
        cast(null as {{ text }}) as location_label
    from {{ ref('stg_bill__bill_line_items') }} as line
    inner join {{ ref('bill__bills_enhanced') }} as bill
        on bill.organization_id = line.organization_id and bill.bill_id = line.bill_id
    where bill.is_live and not line.is_deleted

    union all

    select
        line.organization_id,
        line.currency,
        'vendor_credit' as expense_type,
        line.vendor_credit_id as document_id,
        line.id as line_id,
        credit.credit_date as expense_date,
        vendor.name as payee,
        null as user_uuid,
        line.description,
        lower(credit.status) as state,
        -line.amount as amount,
        line.chart_of_account_id as account_id,
        line.accounting_class_id as class_id,
        line.department_id,
        line.location_id,
        null as account_label,
        null as class_label,
        null as department_label,
        null as location_label
    from {{ ref('stg_bill__vendor_credit_line_items') }} as line
    inner join {{ ref('stg_bill__vendor_credits') }} as credit
        on credit.organization_id = line.organization_id and credit.id = line.vendor_credit_id
    left join {{ ref('stg_bill__vendors') }} as vendor
        on vendor.organization_id = credit.organization_id and vendor.id = credit.vendor_id
    where not coalesce(credit.archived, false) and not credit.is_deleted and not line.is_deleted

    union all

    select
        purchase.organization_id,
        purchase.currency,
        'card' as expense_type,
        purchase.uuid as document_id,
        purchase.uuid as line_id,
        purchase.purchase_date as expense_date,
        purchase.merchant_name as payee,
        purchase.user_uuid,
        null as description,
        purchase.state,
        purchase.amount,
        coding.account_id,
        coding.class_id,
        coding.department_id,
        coding.location_id,
        coding.account_label,
        coding.class_label,
        coding.department_label,
        coding.location_label
    from {{ ref('int_bill__card_purchases') }} as purchase
    left join {{ ref('int_bill__spend_coding') }} as coding
        on coding.organization_id = purchase.organization_id and coding.record_uuid = purchase.uuid

    union all

    select
        reimbursement.organization_id,
        reimbursement.currency,
        'reimbursement' as expense_type,
        reimbursement.uuid as document_id,
        reimbursement.uuid as line_id,
        coalesce(reimbursement.occurred_date, cast(reimbursement.submitted_time as date)) as expense_date,
        reimbursement.merchant_name as payee,
        reimbursement.user_uuid,
        reimbursement.note as description,
        lower(reimbursement.status) as state,
        reimbursement.amount,
        coding.account_id,
        coding.class_id,
        coding.department_id,
        coding.location_id,
        coding.account_label,
        coding.class_label,
        coding.department_label,
        coding.location_label
    from {{ ref('stg_bill__spend_reimbursements') }} as reimbursement
    left join {{ ref('int_bill__spend_coding') }} as coding
        on coding.organization_id = reimbursement.organization_id and coding.record_uuid = reimbursement.uuid
    where not reimbursement.is_deleted
        -- What was retired before it was paid is not to be paid.
        and (not coalesce(reimbursement.retired, false) or reimbursement.status = 'PAID')
)

select
    coded.organization_id,
    coded.currency,
    coded.expense_type,
    coded.document_id,
    coded.line_id,
    coded.expense_date,
    coded.payee,
    spender.first_name as spender_first_name,
    spender.last_name as spender_last_name,
    coded.description,
    coded.state,
    coded.amount,
    account.id as account_id,
    account.number as account_number
    {%- for kind in kinds %},
    {{ kind ~ '.id as ' ~ kind ~ '_id,' if kind != 'account' }}
    coalesce({{ kind }}.name, coded.{{ kind }}_label) as {{ kind }}_name
    {%- endfor %}
from coded
left join {{ ref('stg_bill__spend_users') }} as spender
    on spender.organization_id = coded.organization_id and spender.uuid = coded.user_uuid
{%- for kind in kinds %}
left join {{ ref('int_bill__classifications') }} as {{ kind }}
    on {{ kind }}.organization_id = coded.organization_id
    and {{ kind }}.kind = '{{ kind }}'
    and {{ kind }}.id = coded.{{ kind }}_id
{%- endfor %}
