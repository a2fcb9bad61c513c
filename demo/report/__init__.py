"""A report to look at: one HTML file with the figures of the marts of dbt_bill, for people who read no SQL."""
