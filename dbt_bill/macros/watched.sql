{#-
  The columns whose changes a snapshot keeps. A change of any other one, such as a balance, makes no new version.

  Args:
    record: vendors, vendor_bank_accounts or bank_accounts.
    payment_only: only those that say where money goes, and how.
-#}
{% macro watched_columns(record, payment_only=false) %}
    {%- set account = ['name_on_account', 'account_number', 'routing_number', 'type', 'owner_type'] -%}
    {%- set payment = {
        'vendors': [
            'payment_information_payee_name',
            'payment_information_email',
            'payment_information_pay_by_type',
            'payment_information_pay_by_sub_type',
            'payment_information_bank_account_name_on_account',
            'payment_information_bank_account_account_number',
            'payment_information_bank_account_routing_number',
            'payment_information_bank_account_type',
            'payment_information_bank_account_owner_type',
            'payment_information_bank_account_payment_currency',
            'payment_information_virtual_card_status',
            'payment_information_virtual_card_remit_email',
            'payment_information_virtual_card_alternate_pay_by_type',
            'transfer_method',
            'bank_account_status',
            'auto_pay_enabled',
            'auto_pay_bank_account_id',
            'auto_pay_max_amount',
            'payment_network_id',
            'rpps_id',
        ],
        'vendor_bank_accounts': account + ['currency', 'status'],
        'bank_accounts': account + ['bank_name', 'status', 'archived'],
    } -%}
    {%- set others = {
        'vendors': [
            'name', 'short_name', 'account_type', 'account_number', 'archived', 'email', 'phone', 'address_line1',
            'address_line2', 'address_city', 'address_state_or_province', 'address_zip_or_postal_code',
            'address_country', 'currency', 'company_name', 'tax_id', 'tax_id_type', 'track1099', 'lead_time_in_days',
            'combine_payments', 'payment_term_id', 'network_status',
        ],
        'vendor_bank_accounts': [],
        'bank_accounts': ['default_payables', 'default_receivables', 'access_to_admins', 'chart_of_account_id'],
    } -%}
    {{- return(payment[record] + ([] if payment_only else others[record] + ['is_deleted'])) -}}
{% endmacro %}

{#- What a snapshot keeps of a staging model: the columns of its key, when BILL changed the record, and what is watched. -#}
{% macro watched_rows(record, key, updated_time) %}
    select
        {{ key | join(',\n        ') }},
        {{ updated_time }} as updated_time
        {%- for column in dbt_bill.watched_columns(record) %},
        {# An amount looks the same in every warehouse. #}
        {{- 'cast(' ~ column ~ ' as decimal(31, 2)) as ' ~ column if column.endswith('_amount') else column }}
        {%- endfor %}
    from {{ ref('stg_bill__' ~ record) }}
{% endmacro %}

{#- The versions of a snapshot, each along with the watched columns of the one before. -#}
{% macro versions(record, key) %}
    {%- set before = 'over (partition by ' ~ key | join(', ') ~ ' order by dbt_valid_from)' -%}
    select
        snapshot.*,
        row_number() {{ before }} as version,
        min(dbt_valid_from) over (partition by organization_id) as first_noticed_time
        {%- for column in dbt_bill.watched_columns(record) %},
        lag({{ column }}) {{ before }} as previous_{{ column }}
        {%- endfor %}
    from {{ ref('snap_bill__' ~ record) }} as snapshot
{% endmacro %}

{#- One row for each watched column that changed between two versions, and one where a vendor was added. -#}
{% macro changes(record, vendor_id) %}
    {%- set text = dbt_bill.column_type('string') -%}
    {%- set payment = dbt_bill.watched_columns(record, payment_only=true) -%}
    {%- for column in [vendor_id] + dbt_bill.watched_columns(record) %}
        {%- set added = column == vendor_id %}
    select
        organization_id,
        {{ vendor_id }} as vendor_id,
        '{{ record }}' as record,
        '{{ column }}' as field,
        cast({{ 'null' if added else 'previous_' ~ column }} as {{ text }}) as old_value,
        cast({{ column }} as {{ text }}) as new_value,
        {{ 'true' if column in payment else 'false' }} as is_payment_detail,
        updated_time,
        dbt_valid_from as noticed_time
    from {{ record }}
    where {{ 'version = 1 and dbt_valid_from > first_noticed_time' if added
        else 'version > 1 and ' ~ column ~ ' is distinct from previous_' ~ column }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{% endmacro %}
