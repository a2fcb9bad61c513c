-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('customers', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('companyName', 'company_name', 'string'),
        ('accountType', 'account_type', 'string'),
        ('accountNumber', 'account_number', 'string'),
        ('description', 'description', 'string'),
        ('archived', 'archived', 'boolean'),
        ('contact.firstName', 'contact_first_name', 'string'),
        ('contact.lastName', 'contact_last_name', 'string'),
        ('email', 'email', 'string'),
        ('phone', 'phone', 'string'),
        ('fax', 'fax', 'string'),
        ('billingAddress.line1', 'billing_address_line1', 'string'),
        ('billingAddress.line2', 'billing_address_line2', 'string'),
        ('billingAddress.city', 'billing_address_city', 'string'),
        ('billingAddress.stateOrProvince', 'billing_address_state_or_province', 'string'),
        ('billingAddress.zipOrPostalCode', 'billing_address_zip_or_postal_code', 'string'),
        ('billingAddress.country', 'billing_address_country', 'string'),
        ('billingAddress.countryName', 'billing_address_country_name', 'string'),
        ('shippingAddress.line1', 'shipping_address_line1', 'string'),
        ('shippingAddress.line2', 'shipping_address_line2', 'string'),
        ('shippingAddress.city', 'shipping_address_city', 'string'),
        ('shippingAddress.stateOrProvince', 'shipping_address_state_or_province', 'string'),
        ('shippingAddress.zipOrPostalCode', 'shipping_address_zip_or_postal_code', 'string'),
        ('shippingAddress.country', 'shipping_address_country', 'string'),
        ('shippingAddress.countryName', 'shipping_address_country_name', 'string'),
        ('invoiceCurrency', 'currency', 'string'),
        ('paymentTermId', 'payment_term_id', 'string'),
        ('balance.amount', 'balance_amount', 'number'),
        ('hasBankAccount', 'has_bank_account', 'boolean'),
        ('authorizedToCharge', 'authorized_to_charge', 'boolean'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='customers') }}
)

select loaded.*
from loaded
