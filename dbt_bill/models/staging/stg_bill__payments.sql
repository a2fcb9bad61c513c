-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('payments', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('vendorId', 'vendor_id', 'string'),
        ('vendorName', 'vendor_name', 'string'),
        ('billId', 'bill_id', 'string'),
        ('description', 'description', 'string'),
        ('processDate', 'process_date', 'date'),
        ('status', 'status', 'string'),
        ('singleStatus', 'single_status', 'string'),
        ('disbursementStatus', 'disbursement_status', 'string'),
        ('cancelRequestSubmitted', 'cancel_request_submitted', 'boolean'),
        ('onlinePayment', 'online_payment', 'boolean'),
        ('amount', 'amount', 'number'),
        ('fundingAmount', 'funding_amount', 'number'),
        ('exchangeRate', 'exchange_rate', 'number'),
        ('exchangeRateBatchId', 'exchange_rate_batch_id', 'string'),
        ('fundingAccount.id', 'funding_account_id', 'string'),
        ('fundingAccount.type', 'funding_account_type', 'string'),
        ('cardFundingPurpose', 'card_funding_purpose', 'string'),
        ('transactionNumber', 'transaction_number', 'string'),
        ('confirmationNumber', 'confirmation_number', 'string'),
        ('remittanceEmail', 'remittance_email', 'string'),
        ('processingOptions.requestPayFaster', 'processing_options_request_pay_faster', 'boolean'),
        ('processingOptions.createBill', 'processing_options_create_bill', 'boolean'),
        ('processingOptions.requestCheckDeliveryType', 'processing_options_request_check_delivery_type', 'string'),
        ('disbursementType', 'disbursement_type', 'string'),
        ('disbursementInfo.isVoidable', 'is_voidable', 'boolean'),
        ('disbursementInfo.checkDisbursement.sentDate', 'check_disbursement_sent_date', 'date'),
        ('disbursementInfo.checkDisbursement.arrivesByDate', 'check_disbursement_arrives_by_date', 'date'),
        ('disbursementInfo.checkDisbursement.checkNumber', 'check_disbursement_check_number', 'integer'),
        ('disbursementInfo.achDisbursement.sentDate', 'ach_disbursement_sent_date', 'date'),
        ('disbursementInfo.achDisbursement.arrivesByDate', 'ach_disbursement_arrives_by_date', 'date'),
        ('disbursementInfo.rppsDisbursement.sentDate', 'rpps_disbursement_sent_date', 'date'),
        ('disbursementInfo.rppsDisbursement.arrivesByDate', 'rpps_disbursement_arrives_by_date', 'date'),
        ('disbursementInfo.rppsDisbursement.traceNumber', 'rpps_disbursement_trace_number', 'integer'),
        ('disbursementInfo.rppsDisbursement.batchNumber', 'rpps_disbursement_batch_number', 'integer'),
        ('disbursementInfo.internationalDisbursement.sentDate', 'international_disbursement_sent_date', 'date'),
        ('disbursementInfo.internationalDisbursement.arrivesByDate', 'international_disbursement_arrives_by_date', 'date'),
        ('disbursementInfo.internationalDisbursement.amount', 'international_disbursement_amount', 'number'),
        ('disbursementInfo.internationalDisbursement.disbursementSubType', 'international_disbursement_disbursement_sub_type', 'string'),
        ('disbursementInfo.vcardDisbursement.arrivesByDate', 'vcard_disbursement_arrives_by_date', 'date'),
        ('disbursementInfo.vcardDisbursement.validUntil', 'vcard_disbursement_valid_until', 'date'),
        ('disbursementInfo.vcardDisbursement.last4CardNumber', 'vcard_disbursement_last4_card_number', 'string'),
        ('disbursementInfo.walletDisbursement.arrivesByDate', 'wallet_disbursement_arrives_by_date', 'date'),
        ('paymentPurpose.text', 'payment_purpose_text', 'string'),
        ('paymentPurpose.code.name', 'payment_purpose_code_name', 'string'),
        ('paymentPurpose.code.value', 'payment_purpose_code_value', 'string'),
        ('createdBy', 'created_by', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='payments') }}
)

select
    loaded.*,
    party.currency
from loaded
left join {{ ref('stg_bill__vendors') }} as party
    on party.organization_id = loaded.organization_id
    and party.id = loaded.vendor_id
