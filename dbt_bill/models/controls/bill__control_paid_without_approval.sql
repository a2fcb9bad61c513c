with approvals as (
    select
        organization_id,
        bill_id,
        sum(case when status = 'APPROVED' then 1 else 0 end) as approved,
        count(*) as approvers,
        cast(max(case when status = 'APPROVED' then status_changed_time end) as date) as last_approval_date
    from {{ ref('stg_bill__bill_approvers') }}
    where not is_deleted
    group by organization_id, bill_id
),

paid as (
    select
        organization_id,
        bill_id,
        min(payment_date) as first_payment_date,
        sum(amount) as paid_amount
    from {{ ref('int_bill__live_bill_payments') }}
    group by organization_id, bill_id
),

thresholds as (
    select organization_id, min(threshold_amount) as threshold_amount
    from {{ ref('int_bill__approval_thresholds') }}
    group by organization_id
),

bills as (
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
        coalesce(approvals.approvers, 0) as approvers,
        coalesce(approvals.approved, 0) as approved,
        approvals.last_approval_date,
        paid.first_payment_date,
        paid.paid_amount,
        case
            when coalesce(bill.approval_status, 'UNDEFINED') in ('UNASSIGNED', 'UNDEFINED')
                then case when bill.amount_in_usd >= thresholds.threshold_amount then 'nobody asked' end
            when bill.approval_status <> 'APPROVED' then 'not complete'
            when approvals.last_approval_date > paid.first_payment_date then 'late'
        end as problem,
        thresholds.threshold_amount
    from {{ ref('bill__bills_enhanced') }} as bill
    inner join paid
        on paid.organization_id = bill.organization_id and paid.bill_id = bill.bill_id
    left join approvals
        on approvals.organization_id = bill.organization_id and approvals.bill_id = bill.bill_id
    left join thresholds
        on thresholds.organization_id = bill.organization_id
    where bill.is_live
)

select
    organization_id,
    currency,
    bill_id,
    vendor_id,
    vendor_name,
    invoice_number,
    invoice_date,
    amount,
    approval_status,
    approvers,
    approved,
    last_approval_date,
    first_payment_date,
    paid_amount,
    case problem
        when 'nobody asked' then {{ dbt_bill.sentence(
            'Paid on {} although nobody was asked to approve it, which {} US dollars and more need.',
            ['first_payment_date', dbt_bill.amount_text('threshold_amount')]
        ) }}
        when 'late' then {{ dbt_bill.sentence(
            'Paid on {}, and approved only on {}.', ['first_payment_date', 'last_approval_date']
        ) }}
        else {{ dbt_bill.sentence(
            'Paid on {} although its approval is {}: {} of {} have approved.',
            ['first_payment_date', 'approval_status', 'approved', 'approvers']
        ) }}
    end as reason
from bills
where problem is not null
