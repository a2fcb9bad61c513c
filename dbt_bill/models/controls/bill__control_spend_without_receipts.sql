with spending as (
    select
        purchase.organization_id,
        purchase.currency,
        'card' as expense_type,
        purchase.uuid,
        purchase.user_uuid,
        purchase.merchant_name,
        purchase.purchase_date as expense_date,
        purchase.amount,
        card_transaction.receipt_status
    from {{ ref('int_bill__card_purchases') }} as purchase
    inner join {{ ref('stg_bill__spend_transactions') }} as card_transaction
        on card_transaction.organization_id = purchase.organization_id and card_transaction.uuid = purchase.uuid
    left join {{ ref('stg_bill__spend_transaction_receipts') }} as receipt
        on receipt.organization_id = purchase.organization_id
        and receipt.transaction_uuid = purchase.uuid
        and not receipt.is_deleted
    where purchase.state = 'cleared'
        and receipt.uuid is null
        and coalesce(card_transaction.receipt_status, '') <> 'ATTACHED'
        and coalesce(card_transaction.receipt_required, true)

    union all

    select
        reimbursement.organization_id,
        reimbursement.currency,
        'reimbursement' as expense_type,
        reimbursement.uuid,
        reimbursement.user_uuid,
        reimbursement.merchant_name,
        reimbursement.occurred_date as expense_date,
        reimbursement.amount,
        cast(null as {{ dbt_bill.column_type('string') }}) as receipt_status
    from {{ ref('stg_bill__spend_reimbursements') }} as reimbursement
    left join {{ ref('stg_bill__spend_reimbursement_receipts') }} as receipt
        on receipt.organization_id = reimbursement.organization_id
        and receipt.reimbursement_uuid = reimbursement.uuid
        and not receipt.is_deleted
    where not reimbursement.is_deleted
        and receipt.uuid is null
        and coalesce(reimbursement.type, '') <> 'MILEAGE'
        and (not coalesce(reimbursement.retired, false) or reimbursement.status = 'PAID')
)

select
    spending.organization_id,
    spending.currency,
    spending.expense_type,
    spending.uuid,
    spending.user_uuid,
    person.first_name as spender_first_name,
    person.last_name as spender_last_name,
    spending.merchant_name,
    spending.expense_date,
    spending.amount,
    spending.receipt_status,
    {{ dbt_bill.sentence(
        'No receipt for {} spent at {} on {}.',
        [dbt_bill.amount_text('spending.amount'), 'spending.merchant_name', 'spending.expense_date']
    ) }} as reason
from spending
left join {{ ref('stg_bill__spend_users') }} as person
    on person.organization_id = spending.organization_id and person.uuid = spending.user_uuid
where spending.amount >= {{ dbt_bill.exact_number(var('bill_receipt_minimum')) }}
