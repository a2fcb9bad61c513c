with approvals as (
    select organization_id, bill_id, user_id, min(status_changed_time) as approved_time
    from {{ ref('stg_bill__bill_approvers') }}
    where not is_deleted and status = 'APPROVED'
    group by organization_id, bill_id, user_id
)

select
    bill.organization_id,
    bill.currency,
    bill.bill_id,
    bill.vendor_id,
    bill.vendor_name,
    bill.invoice_number,
    bill.invoice_date,
    bill.amount,
    bill.approval_status,
    bill.created_by,
    person.first_name as creator_first_name,
    person.last_name as creator_last_name,
    bill.created_time as entered_time,
    approvals.approved_time,
    {{ dbt_bill.sentence(
        'Who entered invoice {} on {} also approved it on {}.',
        ['bill.invoice_number', 'cast(bill.created_time as date)', 'cast(approvals.approved_time as date)']
    ) }} as reason
from {{ ref('bill__bills_enhanced') }} as bill
inner join approvals
    on approvals.organization_id = bill.organization_id
    and approvals.bill_id = bill.bill_id
    and approvals.user_id = bill.created_by
left join {{ ref('stg_bill__users') }} as person
    on person.organization_id = bill.organization_id and person.id = bill.created_by
where bill.is_live
