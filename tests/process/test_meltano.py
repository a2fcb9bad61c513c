"""Real Meltano, target and PostgreSQL, from the README's quick start on: what lands is what BILL has, to the cent."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import psycopg
import pytest
import quick_start
import readme

from bill_emulator import EXTRAS, Company, Emulator
from demo import landed
from demo.pipeline import MELTANO
from demo.warehouse import warehouse
from tap_bill.resources import RESOURCES
from tap_bill.singer.records import line_rows

PROJECT = Path(__file__).parents[2]
DEFAULT = [resource for resource in RESOURCES if resource.is_default]
ON_REQUEST = [name for resource in RESOURCES if not resource.is_default for name in resource.tables]
MONEY = {
    "bills": ["amount", "fundingAmount", "paidAmount", "dueAmount", "scheduledAmount", "creditAmount", "exchangeRate"],
    "bill_line_items": ["amount", "quantity", "price"],
    "payments": ["amount", "fundingAmount"],
    "payment_bill_payments": ["amount"],
    "vendor_credits": ["amount", "appliedAmount"],
    "invoices": ["totalAmount", "dueAmount", "creditAmount", "salesTaxTotal"],
    "receivable_payments": ["amount", "unappliedAmount"],
    "credit_memos": ["amount", "appliedAmount"],
    "items": ["price", "purchaseCost"],
    "spend_transactions": ["amount", "transactedAmount", "fees"],
    "spend_reimbursements": ["amount"],
    "spend_budget_members": ["spent", "limit"],
    "billing_statements": ["amount"],
}


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """What is there after the quick start, and `run()`, which goes on as this project's schedule would."""
    folder = tmp_path_factory.mktemp("meltano")
    company = Company(seed=11, bills=120)
    with (
        Emulator(company=company, spend_limit=0) as emulator,
        warehouse() as postgres,
        quick_start.port_of(postgres) as port,
    ):
        credentials = emulator.oauth_credentials
        values = {
            **{f"TAP_BILL_{name.upper()}": value for name, value in credentials.items()},
            "TAP_BILL_API_URL": emulator.url,
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": str(port),
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_PASSWORD": "any",
            "TARGET_POSTGRES_DATABASE": "postgres",
        }
        printed = [quick_start.follow(folder, values)]
        environment = {
            **quick_start.environment(),
            **values,
            "TAP_BILL__SELECT": json.dumps(["*.*", *(f"{name}.*" for name in ON_REQUEST)]),
            "MELTANO_DATABASE_URI": f"sqlite:///{folder}/.meltano/meltano.db",
        }

        def run():
            command = [MELTANO, "--environment", "prod", "run", "bill-to-postgres"]
            done = subprocess.run(
                command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=900
            )
            assert done.returncode == 0, done.stdout + done.stderr
            printed.append(done.stdout + done.stderr)

        with psycopg.connect(postgres.dsn, autocommit=True, options="-c search_path=bill") as database:
            yield SimpleNamespace(
                printed=printed, company=company, run=run, database=database, secret=credentials["client_secret"]
            )


def expected(company, resources, gone):
    """The rows of these resources as BILL has them now, by table, and those that have gone since: they stay."""
    tables = {}
    for resource in resources:
        records = tables[resource.name] = rows(company, resource)
        for lines in resource.lines:
            tables[lines.name] = [line for record in records for line, _ in line_rows(lines, record)]
    for name, rows_ in gone.items():
        tables[name] = [*tables[name], *rows_]
    return tables


def rows(company, resource):
    """The rows of a resource as BILL has them now."""
    name, parent = resource.name, resource.parent
    spend = name.removeprefix("spend_").replace("_", "-")
    if resource.is_spend:
        parts = {"spend_budget_members": company.spend.members, "spend_custom_field_values": company.spend.values}
        parents = company.spend.ids(parent.stream.removeprefix("spend_").replace("_", "-")) if parent else ()
        return [row for id_ in parents for row in parts[name](id_)] if parent else company.spend.rows(spend)
    if parent:
        return [row for id_ in company.ids(parent.stream) for row in company.parts(name, id_)]
    if name in EXTRAS:
        return [row for query in resource.queries for row in EXTRAS[name].rows(company, "".join(query.values()))]
    return company.rows(name)


def check(company, database, resources, gone=MappingProxyType({})):
    """Hold the number of rows of each table, and every amount, against BILL's."""
    tables = expected(company, resources, gone)
    landed = {
        table: database.execute(f'select count(*) from "{table}"').fetchone()[0]
        for (table,) in database.execute("select table_name from information_schema.tables where table_schema = 'bill'")
    }
    assert landed.pop("sync_audit") >= len(landed)
    assert landed == {table: len(rows) for table, rows in tables.items()}
    for table in tables:
        for column in MONEY.get(table, ()):
            sent = sorted(str(row[column]) for row in tables[table] if column in row)
            found = database.execute(f'select "{column}"::text from "{table}" where "{column}" is not null')
            assert sorted(value for (value,) in found) == sent, f"{table}.{column}"


def test_the_check_tries_every_stream_that_is_then_loaded(started):
    assert f"{len(DEFAULT)} of {len(DEFAULT)} streams can be read." in started.printed[0]


def test_everything_lands_once_with_every_digit(started):
    check(started.company, started.database, DEFAULT)
    amounts = [row["amount"] for row in started.company.rows("bills")]
    assert started.database.execute("select sum(amount) from bills").fetchone() == (sum(amounts),)
    assert {"0.10", "99999999999.99"} <= {str(amount) for amount in amounts}


def test_the_first_question_is_answered(started):
    owed, bills = Counter(), Counter()
    for bill in started.company.rows("bills"):
        if not bill["archived"] and bill["dueAmount"]:
            owed[bill["vendorName"]] += bill["dueAmount"]
            bills[bill["vendorName"]] += 1
    largest = sorted(owed.values(), reverse=True)[:10]
    rows = started.database.execute(quick_start.blocks()["sql"]).fetchall()
    assert [due for _, _, due in rows] == largest
    assert {vendor: (count, due) for vendor, count, due in rows} == {
        vendor: (bills[vendor], owed[vendor]) for vendor, _, _ in rows
    }
    assert all(isinstance(due, Decimal) for _, _, due in rows)


def test_columns_have_the_types_that_a_warehouse_wants(started):
    database = started.database
    types = dict(
        database.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'bill' and table_name = 'bills'"
        ).fetchall()
    )
    assert types["amount"] == "numeric"
    assert types["dueDate"] == "date"
    assert types["updatedTime"] == "timestamp without time zone"
    assert types["archived"] == "boolean"
    assert types["invoice"] == types["_unknown_fields"] == "jsonb"


@pytest.fixture(scope="module")
def edited(started):
    """What has changed before the second run: two bills, a vendor, a class, a new bill, and two rows that are gone."""
    company = started.company
    bill = next(row for row in company.rows("bills") if "description" in row)
    shorter = next(row for row in company.rows("bills") if len(row["billLineItems"]) > 1 and row["id"] != bill["id"])
    vendor = company.rows("vendors")[3]
    company.edit("bills", bill["id"], {"amount": Decimal("1234567.80")}, remove=("description",))
    company.edit("bills", shorter["id"], {"billLineItems": shorter["billLineItems"][1:], "fieldOfTomorrow": 1})
    company.edit("vendors", vendor["id"], {"name": "Zażółć gęślą jaźń 東京 🧾", "archived": True})
    company.edit("accounting_classes", company.ids("accounting_classes")[0], {"name": "Renamed"})
    company.add("bills")
    user, recurring = company.spend.rows("users")[1], company.rows("recurring_bills")[1]
    company.spend.remove("users", user["id"])
    company.remove("recurring_bills", recurring["id"])
    started.run()
    gone = {
        "bill_line_items": shorter["billLineItems"][:1],
        "spend_users": [user],
        "recurring_bills": [recurring],
        "recurring_bill_line_items": recurring["recurringBillLineItems"],
    }
    return bill, shorter, vendor, gone


def test_the_second_run_updates_in_place(started, edited):
    company, database = started.company, started.database
    bill, _, vendor, gone = edited
    check(company, database, RESOURCES, gone)
    found = database.execute("select amount::text, description from bills where id = %s", [bill["id"]]).fetchall()
    assert found == [("1234567.80", None)]
    found = database.execute("select name, archived from vendors where id = %s", [vendor["id"]]).fetchall()
    assert found == [("Zażółć gęślą jaźń 東京 🧾", True)]
    assert "accounting_classes: reading what changed since 2" in started.printed[1]
    found = database.execute("select name from accounting_classes order by id").fetchall()
    assert sorted(found) == sorted((row["name"],) for row in company.rows("accounting_classes"))


def test_no_secret_is_printed(started, edited):
    assert len(started.printed) == 2
    assert not [text for text in started.printed if started.secret in text]


def test_what_bill_has_deleted_is_found_as_documented_and_nothing_else(started, edited):
    """Of every table, after two runs; the second read bills whole, because it was the first to ask for their parts."""
    database = started.database
    *_, gone = edited
    page = (readme.DOCS / "incremental.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"^```sql\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    audited = {table for (table,) in database.execute("select distinct stream from sync_audit")}
    assert audited == {table for resource in RESOURCES for table in resource.tables}
    for table in audited:
        found = database.execute(query.replace("spend_users", table)).fetchall()
        assert len(found) == len(gone.get(table, ())), table


def test_present_lines_are_those_with_their_bills_time(started, edited):
    database = started.database
    _, shorter, *_ = edited
    present = database.execute(
        'select l.id from bill_line_items l join bills b on b."organizationId" = l."organizationId"'
        ' and b.id = l."billId" and b."updatedTime" = l."parentUpdatedTime" where b.id = %s order by l.position',
        [shorter["id"]],
    ).fetchall()
    assert [line for (line,) in present] == [line["id"] for line in shorter["billLineItems"][1:]]


def test_meltano_tells_the_tap_what_its_user_selected_and_shows_errors_as_such(tmp_path):
    """`*.*` of this project's `meltano.yml` names no stream that is read on request only."""
    with Emulator(company=Company(seed=7, bills=25), forbid=["roles"]) as emulator:
        emulator.faults.plan("refused", path="/v3/vendors", times=None)
        settings = {**emulator.credentials, "api_url": emulator.url, "max_retries": "0"}
        variables = {f"TAP_BILL_{name.upper()}": value for name, value in settings.items()}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MELTANO_")},
            **variables,
            "TAP_BILL__SELECT": '["vendor*.*", "roles.*", "*.*"]',
            "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
            "NO_COLOR": "1",
        }
        command = [MELTANO, "invoke", "tap-bill"]
        read = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
    assert read.returncode == 1, read.stderr
    announced = {
        message["stream"] for message in map(json.loads, read.stdout.splitlines()) if message["type"] == "SCHEMA"
    }
    assert announced & {*ON_REQUEST} == {name for name in ON_REQUEST if name.startswith("vendor")}
    assert "Not read, because Meltano's `select` does not name them: customer_attachments, " in read.stderr
    assert re.search(r"\[warning *\].*roles: skipped, because BILL does not let this user read it", read.stderr)
    assert re.search(r"\[error *\].*vendors: BILL refused GET /v3/vendors", read.stderr)


def answer(database, name, day=landed.AS_OF):
    """The rows of one of the documented queries, as if it were asked on a day."""
    text = (readme.DOCS / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    return database.execute(text.replace("current_date", f"date '{day}'")).fetchall()


def test_what_is_owed_by_age(started, edited):
    company, database = started.company, started.database
    owed = [bill for bill in company.rows("bills") if bill["dueAmount"] and not bill["archived"]]
    for late in (0, 1, 30, 31, 60, 61, 90, 91):
        day = date.fromisoformat(owed[0]["dueDate"]) + timedelta(days=late)
        rows = answer(database, "ap_aging", day)
        assert {organization for organization, *_ in rows} == {company.organization_id}
        found = [(currency, [amount or 0 for amount in amounts]) for _, currency, *amounts in rows]
        assert found == readme.aging(company, day), day
        assert len(found) > 3


def test_spend_by_account_counts_the_lines_that_exist_now(started, edited):
    company, database = started.company, started.database
    currencies = {vendor["id"]: vendor["billCurrency"] for vendor in company.rows("vendors")}
    names = {account["id"]: account["name"] for account in company.rows("chart_of_accounts")}
    lines, amounts = Counter(), Counter()
    for bill in company.rows("bills"):
        if not bill["archived"]:
            for line in bill["billLineItems"]:
                account = names.get(line.get("classifications", {}).get("chartOfAccountId"), "(no account)")
                lines[currencies[bill["vendorId"]], account] += 1
                amounts[currencies[bill["vendorId"]], account] += line["amount"]
    rows = answer(database, "spend_by_gl_account")
    assert {(currency, name): count for _, currency, _, name, count, _ in rows} == lines
    assert {(currency, name): amount for _, currency, _, name, _, amount in rows} == amounts
    assert database.execute("select count(*) from bill_line_items").fetchone() > (sum(lines.values()),)


def test_payments_by_vendor_are_those_that_arrived(started, edited):
    company, database = started.company, started.database
    vendors = {vendor["id"]: vendor for vendor in company.rows("vendors")}
    paid = [payment for payment in company.rows("payments") if payment["status"] == "PAID"]
    sums, dollars = Counter(), Counter()
    for payment in paid:
        vendor = vendors[payment["vendorId"]]
        sums[vendor["name"], vendor["billCurrency"]] += payment["amount"]
        dollars[vendor["name"], vendor["billCurrency"]] += payment["fundingAmount"]
    rows = answer(database, "payments_by_vendor")
    assert {(name, currency): amount for _, name, currency, _, amount, _, _ in rows} == sums
    assert {(name, currency): amount for _, name, currency, _, _, amount, _ in rows} == dollars
    assert sum(count for _, _, _, count, *_ in rows) == len(paid)
    assert str(max(last for *_, last in rows)) == max(payment["processDate"] for payment in paid)


def test_open_invoices_are_those_not_archived_and_not_paid(started, edited):
    company, database = started.company, started.database
    customers = {customer["id"]: customer for customer in company.rows("customers")}
    open_ = {
        invoice["invoiceNumber"]: (customers[invoice["customerId"]]["name"], invoice["dueDate"], invoice["dueAmount"])
        for invoice in company.rows("invoices")
        if not invoice["archived"] and invoice["dueAmount"]
    }
    rows = answer(database, "open_invoices")
    assert {number: (name, str(due), amount) for _, name, number, due, _, _, amount in rows} == open_
    assert all(days == (landed.AS_OF - due).days for _, _, _, due, days, _, _ in rows)
    owed = Counter()
    for _, name, *_, amount in rows:
        owed[name] += amount
    assert owed == {row["name"]: row["balance"]["amount"] for row in customers.values() if row["balance"]["amount"]}


@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_query_of_a_page_runs(started, edited, page):
    database = started.database
    for query in re.findall(r"^```sql\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        assert database.execute(query).fetchall(), query


def test_unknown_fields_are_found_as_documented(started, edited):
    database = started.database
    streams = (readme.DOCS / "streams.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"^select id, _unknown_fields .*$", streams, re.MULTILINE)
    _, shorter, *_ = edited
    assert database.execute(query).fetchall() == [(shorter["id"], {"fieldOfTomorrow": 1})]
    every = database.execute("select count(*), count(_unknown_fields) from bills").fetchone()
    assert every[0] == every[1] > 1
