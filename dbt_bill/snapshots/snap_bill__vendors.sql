{% snapshot snap_bill__vendors %}
    {%- set key = ['organization_id', 'id'] -%}
    {{- config(strategy='check', unique_key=key, check_cols=dbt_bill.watched_columns('vendors')) }}
    {{ dbt_bill.watched_rows('vendors', key, 'updated_time') }}
{% endsnapshot %}
