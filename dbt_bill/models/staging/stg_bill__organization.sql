-- Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours.

with loaded as (
    {{ dbt_bill.loaded_rows('organization', [
        ('organizationId', 'organization_id', 'string'),
        ('id', 'id', 'string'),
        ('name', 'name', 'string'),
        ('archived', 'archived', 'boolean'),
        ('accountType', 'account_type', 'string'),
        ('businessCategory', 'business_category', 'string'),
        ('industry', 'industry', 'string'),
        ('taxId', 'tax_id', 'string'),
        ('taxIdType', 'tax_id_type', 'string'),
        ('phone', 'phone', 'string'),
        ('address.line1', 'address_line1', 'string'),
        ('address.line2', 'address_line2', 'string'),
        ('address.city', 'address_city', 'string'),
        ('address.stateOrProvince', 'address_state_or_province', 'string'),
        ('address.zipOrPostalCode', 'address_zip_or_postal_code', 'string'),
        ('address.country', 'address_country', 'string'),
        ('address.countryName', 'address_country_name', 'string'),
        ('mailingAddress.line1', 'mailing_address_line1', 'string'),
        ('mailingAddress.line2', 'mailing_address_line2', 'string'),
        ('mailingAddress.city', 'mailing_address_city', 'string'),
        ('mailingAddress.stateOrProvince', 'mailing_address_state_or_province', 'string'),
        ('mailingAddress.zipOrPostalCode', 'mailing_address_zip_or_postal_code', 'string'),
        ('mailingAddress.country', 'mailing_address_country', 'string'),
        ('mailingAddress.countryName', 'mailing_address_country_name', 'string'),
        ('companyOwner.name', 'company_owner_name', 'string'),
        ('companyOwner.dateOfBirth', 'company_owner_date_of_birth', 'date'),
        ('processingOptions.mailingAddressSameAsPhysical', 'processing_options_mailing_address_same_as_physical', 'boolean'),
        ('processingOptions.individualTransferOut', 'processing_options_individual_transfer_out', 'boolean'),
        ('processingOptions.individualTransferIn', 'processing_options_individual_transfer_in', 'boolean'),
        ('partnerName', 'partner_name', 'string'),
        ('createdTime', 'created_time', 'date-time'),
        ('updatedTime', 'updated_time', 'date-time'),
        ('_unknown_fields', 'unknown_fields', 'json'),
    ], audited_as='organization') }}
)

select loaded.*
from loaded
