{% snapshot snap_bill__vendor_bank_accounts %}
    {%- set key = ['organization_id', 'vendor_id'] -%}
    {{- config(strategy='check', unique_key=key, check_cols=dbt_bill.watched_columns('vendor_bank_accounts')) }}
    {{ dbt_bill.watched_rows('vendor_bank_accounts', key, 'cast(null as ' ~ dbt_bill.column_type('date-time') ~ ')') }}
{% endsnapshot %}
