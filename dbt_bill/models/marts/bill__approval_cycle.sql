with approvers as (
    select
        approver.*,
        case when approver.status = 'WAITING' then row_number() over (
            partition by approver.organization_id, approver.bill_id, approver.status
            order by approver.approver_order, approver.position
        ) end as place_in_line
    from {{ ref('stg_bill__bill_approvers') }} as approver
    where not approver.is_deleted
),

summed as (
    select
        organization_id,
        bill_id,
        count(*) as approvers,
        sum(case when status = 'APPROVED' then 1 else 0 end) as approved,
        sum(case when status = 'DENIED' then 1 else 0 end) as denied,
        sum(case when status = 'WAITING' then 1 else 0 end) as waiting,
        min(status_changed_time) as first_decision_time,
        max(status_changed_time) as last_decision_time,
        max(case when place_in_line = 1 then user_id end) as next_approver_id
    from approvers
    group by organization_id, bill_id
)

select
    bill.organization_id,
    bill.currency,
    bill.bill_id,
    bill.invoice_number,
    bill.vendor_id,
    bill.vendor_name,
    bill.amount,
    bill.due_date,
    bill.approval_status,
    summed.approvers,
    summed.approved,
    summed.denied,
    summed.waiting,
    bill.created_time as entered_time,
    summed.first_decision_time,
    summed.last_decision_time,
    cast({{ dbt.datediff('bill.created_time', 'summed.first_decision_time', 'hour') }} as integer)
        as hours_to_first_decision,
    case when bill.approval_status = 'APPROVED'
        then cast({{ dbt.datediff('bill.created_time', 'summed.last_decision_time', 'hour') }} as integer)
    end as hours_to_approval,
    summed.next_approver_id,
    next_approver.first_name as next_approver_first_name,
    next_approver.last_name as next_approver_last_name,
    case when summed.next_approver_id is not null
        then {{ dbt_bill.days_late('coalesce(summed.last_decision_time, bill.created_time)') }} end as days_waiting
from {{ ref('bill__bills_enhanced') }} as bill
inner join summed
    on summed.organization_id = bill.organization_id and summed.bill_id = bill.bill_id
left join {{ ref('stg_bill__users') }} as next_approver
    on next_approver.organization_id = bill.organization_id and next_approver.id = summed.next_approver_id
where bill.is_live
