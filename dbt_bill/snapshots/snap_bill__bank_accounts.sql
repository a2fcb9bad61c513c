{% snapshot snap_bill__bank_accounts %}
    {%- set key = ['organization_id', 'id'] -%}
    {{- config(strategy='check', unique_key=key, check_cols=dbt_bill.watched_columns('bank_accounts')) }}
    {{ dbt_bill.watched_rows('bank_accounts', key, 'updated_time') }}
{% endsnapshot %}
