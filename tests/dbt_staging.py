"""The generated part of dbt_bill: `python` with this file writes it, a test compares them.

The staging models, their documentation and that of the sources repeat what `schemas/` says of every column, so they
are made from it. What a schema does not say, a table below does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from tap_bill.resources import RESOURCES

PROJECT = Path(__file__).resolve().parents[1]
STAGING = PROJECT / "dbt_bill" / "models" / "staging"
GENERATOR = "Generated from schemas/ by tests/dbt_staging.py; edit neither this file nor its neighbours."

OPENED_UNNAMED = {"additionalInfo", "classifications", "currencyData", "disbursementInfo", "invoice"}
"""Objects whose fields need no prefix: `invoice.invoiceNumber` becomes `invoice_number`."""

RENAMED = {
    ("vendors", "billCurrency"): "currency",
    ("customers", "invoiceCurrency"): "currency",
    ("vendor_bank_accounts", "paymentCurrency"): "currency",
    ("invoice_payments", "date"): "payment_date",
    ("invoice_payments", "id"): "received_payment_id",
    ("payment_vendor_credits", "id"): "vendor_credit_id",
    ("spend_budgets", "default"): "is_default",
    ("spend_budget_members", "limit"): "spending_limit",
    ("ap_cards", "limit"): "spending_limit",
    ("sync_audit", "rows"): "row_count",
}
"""Columns that take another name: words that SQL keeps for itself, and names that would mislead."""

PARTIES = {
    "bills": ("vendors", "vendor_id"),
    "payments": ("vendors", "vendor_id"),
    "vendor_credits": ("vendors", "vendor_id"),
    "recurring_bills": ("vendors", "vendor_id"),
    "bills_pending_approval": ("vendors", "vendor_id"),
    "invoices": ("customers", "customer_id"),
    "receivable_payments": ("customers", "customer_id"),
    "credit_memos": ("customers", "customer_id"),
    "recurring_invoices": ("customers", "customer_id"),
}
"""Whose currency the amounts are in: BILL sends no currency code with them (BILL: `billCurrency` of the vendor)."""

IN_DOLLARS = {"spend_transactions", "spend_reimbursements", "spend_cards", "spend_budgets", "spend_budget_members"}
"""Spend & Expense is kept in US dollars; the currency of a purchase abroad is in `original_currency_code`."""

CURRENCY = "ISO 4217 code of the currency that the amounts of the row are in"
DELETED = (
    "True when the row was deleted in BILL: the newest complete read of its table, as sync_audit tells, did not bring "
    "it. False where no such read has been made."
)
LATEST = "True for the newest complete read of the table in the organization."

LONGEST_NAME = 63
"""PostgreSQL cuts off what is longer."""

JOINS = re.compile(r"; joins (\w+)\.(\w+)")
"""How the description of a column names what it always refers to."""


def schemas():
    """Every table's schema by name."""
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (PROJECT / "schemas").glob("*.json")}
    return dict(sorted(read.items()))


def parents():
    """Of each line table: the table of its records, and the columns by which the two join."""
    return {
        lines.name: (resource.name, snake(resource.parent_key), resource.identifier)
        for resource in RESOURCES
        for lines in resource.lines
    }


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.lstrip("_")).replace(".", "_").lower()


def kind(column):
    """The type of a column: a JSON type, or a format, or `json` for what stays as it is."""
    kinds = column["type"] if isinstance(column["type"], list) else [column["type"]]
    (found,) = (each for each in kinds if each != "null")
    return column.get("format", "json" if found == "object" else found)


def columns(table, properties, path=""):
    """The columns of a staging model: path in the source, name, type, description.

    Objects are opened; arrays of objects have tables of their own.
    """
    for field, column in properties.items():
        full = f"{path}{field}"
        if "properties" in column:
            yield from columns(table, column["properties"], f"{full}.")
        elif column.get("items", {}).get("type") in (None, ["string", "null"]):
            yield full, named(table, full), kind(column), column["description"]


def named(table, path):
    head, _, rest = path.partition(".")
    return RENAMED.get((table, path)) or snake(rest if head in OPENED_UNNAMED else path)


def key(table, schema):
    return [named(table, column) for column in schema["required"]]


def currency(table):
    """What a model says of its currency, where the columns of its source do not."""
    parent = parents().get(table, (table, "", ""))[0]
    if parent in PARTIES:
        party = PARTIES[parent][0].removesuffix("s")
        return f"{CURRENCY}: that of the {party}. Null while the {party} is not loaded."
    return f"{CURRENCY}: US dollars." if table in IN_DOLLARS else None


TIMELESS = {name for name, schema in schemas().items() if "updatedTime" not in schema["properties"]}
"""Tables of whose rows BILL tells no time: lines that were removed are marked by the next complete read."""


# Models


def model(table, schema):
    """The SQL of a staging model."""
    found = list(columns(table, schema["properties"]))
    names = [name for _, name, _, _ in found]
    assert len({*names}) == len(names), f"{table}: two columns with one name"
    assert len({name.replace("_", "").lower() for name in schema["properties"]}) == len(schema["properties"]), (
        f"{table}: alike"
    )
    assert max(map(len, names)) <= LONGEST_NAME, f"{table}: a name is too long"
    rows = "".join(f"        ({path!r}, {name!r}, {type_!r}),\n" for path, name, type_, _ in found)
    parent, by, identifier = parents().get(table, (None, None, None))
    # A whole read of the records brings their lines too.
    audited = "" if table == "sync_audit" else f", audited_as={parent or table!r}"
    macro = f"    {{{{ dbt_bill.loaded_rows({table!r}, [\n{rows}    ]{audited}) }}}}\n"
    # All others read this one, so that what stops it is said once.
    first = "{% do dbt_bill.require_a_table() %}\n" if table == "sync_audit" else ""
    return f"-- {GENERATOR}\n{first}\nwith loaded as (\n{macro})\n\n" + selected(table, parent, by, identifier)


def selected(table, parent, by, identifier):
    """The part of the SQL that adds what the table itself does not hold."""
    if table == "sync_audit":
        newest = "max(loaded.started_at) over (partition by loaded.organization_id, loaded.stream)"
        return f"select\n    loaded.*,\n    loaded.started_at = {newest} as is_latest\nfrom loaded\n"
    if parent and parent not in TIMELESS:
        return (
            "-- The present lines are those that carry their parent's present time.\n"
            f"select\n    loaded.*{',' if currency(table) else ''}\n"
            f"{'    parent.currency' + chr(10) if currency(table) else ''}"
            f"from loaded\n{join('inner', parent, 'parent', identifier, by)}"
            # Planners take a plain comparison for one that hardly a row passes, and join what follows row by row.
            "    and case when parent.updated_time is not distinct from loaded.parent_updated_time\n"
            "        then true else false end\n"
        )
    if table in PARTIES:
        party, column = PARTIES[table]
        return f"select\n    loaded.*,\n    party.currency\nfrom loaded\n{join('left', party, 'party', 'id', column)}"
    if table in IN_DOLLARS:
        return "select\n    loaded.*,\n    'USD' as currency\nfrom loaded\n"
    return "select loaded.*\nfrom loaded\n"


def join(how, table, alias, identifier, column):
    return (
        f"{how} join {{{{ ref('stg_bill__{table}') }}}} as {alias}\n"
        f"    on {alias}.organization_id = loaded.organization_id\n"
        f"    and {alias}.{identifier} = loaded.{column}\n"
    )


# Documentation and tests


def described_source(table, schema):
    listed = [{"name": name, "description": column["description"]} for name, column in schema["properties"].items()]
    return {"name": table, "description": schema["description"], "columns": listed}


def described_model(table, schema, known):
    found = list(columns(table, schema["properties"]))
    listed = [{"name": name, "description": description} for _, name, _, description in found]
    if table == "sync_audit":
        listed.append({"name": "is_latest", "description": LATEST})
    else:
        listed.append({"name": "is_deleted", "description": DELETED})
    if said := currency(table):
        listed.append({"name": "currency", "description": said})
    tests = [{"dbt_bill.unique_key": {"arguments": {"columns": key(table, schema)}}}]
    if references := list(referenced(found, known)):
        tests.append({"dbt_bill.references_exist": {"arguments": {"references": references}}})
    return {"name": f"stg_bill__{table}", "description": schema["description"], "columns": listed, "data_tests": tests}


def referenced(found, known):
    """The columns that always refer to another table: column, table and its column."""
    for _, name, _, description in found:
        joined = JOINS.search(description)
        if joined and joined[1] in known:
            yield {"column": name, "to": joined[1], "field": snake(joined[2])}


def document(content):
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10**6)
    return f"# {GENERATOR}\n\n{text}"


def generated():
    """Every generated file by its path."""
    tables = schemas()
    source = {
        "name": "bill",
        "description": "The tables that tap-bill loads, one per stream.",
        "database": "{{ var('bill_database', target.database) }}",
        "schema": "{{ var('bill_schema', 'bill') }}",
        "tables": [described_source(*item) for item in tables.items()],
    }
    models = [described_model(*item, tables) for item in tables.items()]
    return {
        STAGING / "src_bill.yml": document({"version": 2, "sources": [source]}),
        STAGING / "stg_bill.yml": document({"version": 2, "models": models}),
        **{STAGING / f"stg_bill__{table}.sql": model(table, schema) for table, schema in tables.items()},
    }


if __name__ == "__main__":
    for path in STAGING.iterdir():
        path.unlink()
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
