"""dbt_bill on PostgreSQL: it builds from what the tap reads, says what the books say, and notices what is missing."""

from __future__ import annotations

import ast
import copy
import json
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from operator import itemgetter
from pathlib import Path

import dbt_runs
import dbt_staging
import psycopg
import pytest
import readme
import runs

from bill_emulator import Company, Credentials, Emulator
from demo import pipeline
from demo.warehouse import warehouse

PROJECT = Path(__file__).parents[2]
AS_OF = date(2026, 6, 30)

FIRST, SECOND = "00802ORGANIZATION001", "00802ORGANIZATION002"

TYPES = {
    "string": "text", "number": "numeric", "integer": "bigint", "boolean": "boolean", "object": "jsonb",
    "date": "date", "date-time": "timestamp",
}  # fmt: skip
"""What target-postgres makes of a column; test_meltano.py holds the loader to the same."""

ON_REQUEST = {"vendor_audit_trail"}
"""What the tap reads here besides the streams that it reads by default."""

THRESHOLD, OTHER_THRESHOLD = 500, 5000
"""US dollars from which on bills need approval: as the company's policy says, and as the variable of dbt_bill says."""

THRESHOLDS = {"bill_approval_thresholds": [OTHER_THRESHOLD]}
VARIABLES = json.dumps({"bill_as_of": AS_OF.isoformat(), "bill_marts": "view"} | THRESHOLDS)
"""The marts are views, so that a test can change what was loaded and ask again."""

BEFORE, AUDITED = "2026-07-01 10:00:00", "2026-07-01 11:00:00"

DELETED = dict.fromkeys(
    (
        "bills", "payments", "vendor_credits", "invoices", "receivable_payments", "credit_memos",
        "bill_approval_policies", "spend_transactions", "spend_reimbursements",
    ),
    AUDITED,
) | {"vendors": "2026-07-01 10:45:00"}  # fmt: skip
"""Of these, the first organization once had every record twice, and when the last complete read of each began.

Of bills, the second organization had every one twice, too. All that it has was read when that of the first one began.
"""

pytestmark = pytest.mark.skipif(
    not pipeline.DBT.exists(), reason="dbt does not run here; `make test` tries to install it each time"
)


@pytest.fixture(scope="module")
def companies():
    """Their books differ, but the ids in them do not: what is joined by the id alone is joined wrongly."""
    return [
        Company(seed=1, bills=bills, organization_id=each, irregularities=True)
        for each, bills in ((FIRST, 120), (SECOND, 110))
    ]


@pytest.fixture(scope="module")
def built(companies, discovered, tmp_path_factory):
    """A warehouse that holds both companies, and all that `dbt build` says and leaves there."""
    folder = tmp_path_factory.mktemp("dbt")
    run = read(companies, discovered, folder)
    with warehouse() as postgres, psycopg.connect(postgres.dsn, autocommit=True) as database:
        load(database, run)
        leave_behind(database)
        database.execute("analyze")  # as PostgreSQL does by itself in time
        variables = pipeline.dbt(postgres, folder, as_of=AS_OF) | {"DBT_POSTGRES_VARS": VARIABLES}
        log = folder / "log"
        pipeline.meltano("run", "dbt-postgres:build", variables=variables, state=folder, log=log)
        assert "deprecat" not in log.read_text(encoding="utf-8").lower()
        database.execute("set search_path = analytics")
        with closing(dbt_runs.Dbt(folder, variables)) as dbt:
            yield database, dbt_runs.results(folder / "dbt"), dbt


def read(companies, discovered, folder):
    catalog = copy.deepcopy(discovered)
    for entry in catalog["streams"]:
        for field in entry["metadata"]:
            if entry["tap_stream_id"] in ON_REQUEST and field["breadcrumb"] == []:
                field["metadata"]["selected"] = True
    known = {each.organization_id: Credentials(spend_api_token=f"token-{each.organization_id}") for each in companies}
    with Emulator(companies=companies, organization_credentials=known, spend_limit=0) as emulator:
        common = {name: value for name, value in emulator.credentials.items() if name != "organization_id"}
        own = [{"organization_id": each, "spend_api_token": of.spend_api_token} for each, of in known.items()]
        run = runs.run_tap({**common, "api_url": emulator.url, "organizations": own}, folder=folder, catalog=catalog)
    assert (run.exit_code, run.errors) == (0, [])
    return run


def load(database, run):
    """Put the tap's records where target-postgres would, in columns of the types that it would make."""
    database.execute("create schema bill")
    lines = defaultdict(list)
    for text, message in zip(run.stdout.splitlines(), run.messages, strict=True):
        if message["type"] == "SCHEMA" and message["stream"] not in lines:
            make_table(database, message["stream"], message["schema"])
            lines[message["stream"]] = []
        elif message["type"] == "RECORD":
            lines[message["stream"]].append(text)
    for table, records in lines.items():
        database.execute(
            f'insert into bill."{table}" select made.* from unnest(%s::text[]) as line,'
            f""" lateral jsonb_populate_record(null::bill."{table}", line::jsonb -> 'record') as made""",
            [records],
        )
        database.execute(f"alter table bill.\"{table}\" add _sdc_extracted_at timestamp default '{AUDITED}'")


def make_table(database, table, schema):
    listed = ", ".join(f'"{name}" {column_type(column)}' for name, column in schema["properties"].items())
    database.execute(f'create table bill."{table}" ({listed})')


def column_type(column):
    kinds = column["type"] if isinstance(column["type"], list) else [column["type"]]
    (kind,) = (each for each in kinds if each != "null")
    return f"{column_type(column['items'])}[]" if kind == "array" else TYPES[column.get("format", kind)]


def leave_behind(database):
    """What stays in a warehouse: lines that were removed from their bills, and records that were deleted, and theirs.

    Also what the default selection does not read: a table with a row, and one without any.
    """
    database.execute("delete from bill.sync_audit")
    audits = [(FIRST, stream, time) for stream in DELETED for time in (BEFORE, DELETED[stream])]
    for organization, stream, time in (*audits, (SECOND, "bills", BEFORE)):
        database.execute(
            "insert into bill.sync_audit values (%s, %s, %s, %s, 1)", [organization, stream, time, AUDITED]
        )
    leave_copies(database, "bill_line_items", FIRST, "id", "\"parentUpdatedTime\" = '2020-01-01'")
    leave_copies(database, "bills", SECOND, "id", "_sdc_extracted_at = '2026-07-01 09:30:00'")
    parents = dbt_staging.parents()
    for table, schema in dbt_staging.schemas().items():
        if parents.get(table, (table,))[0] in DELETED:
            leave_copies(database, table, FIRST, schema["required"][1], "_sdc_extracted_at = '2026-07-01 10:30:00'")
    make_table(database, "vendor_bank_accounts", dbt_staging.schemas()["vendor_bank_accounts"])
    database.execute(
        """insert into bill.vendor_bank_accounts ("organizationId", "vendorId", "accountNumber")"""
        """ select "organizationId", id, '*****1111' from bill.vendors where "organizationId" = %s limit 1""",
        [SECOND],
    )
    make_table(database, "bills_pending_approval", dbt_staging.schemas()["bills_pending_approval"])


def leave_copies(database, table, organization, key, change):
    """Let a table have every row of an organization once more: with another key, and with this change."""
    copied = f'select * from bill."{table}" where "organizationId" = %s'
    database.execute(f"create temp table copy as {copied}", [organization])
    database.execute(f"""update copy set "{key}" = 'gone-' || "{key}", {change}""")
    database.execute(f'insert into bill."{table}" table copy')
    database.execute("drop table copy")


def rows_by_currency(company, table, party, currency):
    """The rows of a table, each along with the currency of its vendor or customer."""
    parties = "vendors" if party == "vendorId" else "customers"
    currencies = {row["id"]: row[currency] for row in company.rows(parties)}
    return [(row, currencies[row[party]]) for row in company.rows(table)]


def payable(company, table):
    return rows_by_currency(company, table, "vendorId", "billCurrency")


def receivable(company, table):
    return rows_by_currency(company, table, "customerId", "invoiceCurrency")


def added_up(cells):
    """Sums by key, without those that are nothing."""
    sums = Counter()
    for key, amount in cells:
        sums[key] += amount
    return {key: amount for key, amount in sums.items() if amount}


def asked(database, query):
    """A query whose last column is an amount, and whose other columns are the key; without amounts of nothing."""
    return {tuple(key): amount for *key, amount in database.execute(query) if amount}


# The build


def test_everything_is_built_and_every_test_passes(built):
    _, results, _ = built
    warned = [name for name, result in results.items() if result["status"] == "warn"]
    # The audit trails of the emulator name a user who is not in the books.
    assert [name.rpartition("__column_organization_id")[0] for name in warned] == [
        "dbt_bill_references_exist_stg_bill__vendor_audit_trail"
    ]
    assert {result["status"] for name, result in results.items() if name not in warned} == {"success", "pass"}
    models = {path.stem for path in (PROJECT / "dbt_bill" / "models").rglob("*.sql")}
    assert models <= results.keys()
    ties = {path.stem for path in (PROJECT / "dbt_bill" / "tests" / "tie_out").glob("*.sql")}
    assert ties <= results.keys()
    assert len(ties) == 6


def test_every_model_and_column_is_described(built):
    database, _, dbt = built
    manifest = json.loads((dbt.folder / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    columns = defaultdict(set)
    for table, column in database.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'analytics'"
    ):
        columns[table].add(column)
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert node["description"], node["name"]
            assert {name for name, column in node["columns"].items() if column["description"]} == columns[node["name"]]


def test_no_amount_is_a_float(built):
    database, _, _ = built
    types = "select distinct data_type from information_schema.columns where table_schema = 'analytics'"
    found = {type_ for (type_,) in database.execute(types)}
    assert "numeric" in found
    assert not found & {"real", "double precision"}


def test_a_table_that_was_never_loaded_is_an_empty_model_of_the_right_types(built):
    database, _, _ = built
    types = TYPES | {"json": "jsonb", "array": "ARRAY", "date-time": "timestamp without time zone"}
    loaded = {name for (name,) in database.execute("select tablename from pg_tables where schemaname = 'bill'")}
    tables = dbt_staging.schemas()
    assert {"vendor_attachments", "bill_documents", "organization_price_plan_terms"} <= tables.keys() - loaded
    for table, schema in tables.items():
        declared = {name: types[kind] for _, name, kind, _ in dbt_staging.columns(table, schema["properties"])}
        found = database.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'analytics' and table_name = %s",
            [f"stg_bill__{table}"],
        )
        assert declared.items() <= dict(found.fetchall()).items(), table
        if table not in loaded:
            assert database.execute(f"select count(*) from stg_bill__{table}").fetchone() == (0,)


def test_what_was_removed_or_deleted_is_told_apart(built, companies):
    database, _, _ = built
    counted = "select is_deleted, count(*) from stg_bill__{} where organization_id = %s group by 1"
    for company in companies:
        (bills, vendors), organization = map(company.rows, ("bills", "vendors")), [company.organization_id]
        assert dict(database.execute(counted.format("bills"), organization)) == {True: len(bills), False: len(bills)}
        both = {True: len(vendors), False: len(vendors)} if organization == [FIRST] else {False: len(vendors)}
        assert dict(database.execute(counted.format("vendors"), organization)) == both
    lines = sum(len(bill["billLineItems"]) for bill in companies[0].rows("bills"))
    assert dict(database.execute(counted.format("bill_line_items"), [FIRST])) == {True: lines, False: lines}
    assert not database.execute("select * from bill__bills_enhanced where bill_id like 'gone-%'").fetchall()


def test_json_columns_are_opened_and_keep_every_digit(built, companies):
    database, _, _ = built
    for company in companies:
        read = database.execute(
            "select id, chart_of_account_id, quantity::text, amount::text, currency from stg_bill__bill_line_items"
            " where organization_id = %s and not is_deleted",
            [company.organization_id],
        )
        assert sorted(read) == sorted(
            (
                line["id"],
                line["classifications"]["chartOfAccountId"],
                str(line["quantity"]),
                str(line["amount"]),
                currency,
            )
            for bill, currency in payable(company, "bills")
            for line in bill["billLineItems"]
        )
        balances = database.execute(
            "select id, currency, balance_amount::text from stg_bill__vendors"
            " where organization_id = %s and not is_deleted",
            [company.organization_id],
        )
        assert sorted(balances) == sorted(
            (row["id"], row["billCurrency"], str(row["balance"]["amount"])) for row in company.rows("vendors")
        )


# The marts


AGES = (
    "not_due_amount, days_1_to_30_amount, days_31_to_60_amount, days_61_to_90_amount, over_90_days_amount, open_amount"
)


def aging_of(database, mart, organization):
    sums = ", ".join(f"sum({column})" for column in AGES.split(", "))
    found = database.execute(
        f"select currency, {sums} from {mart} where organization_id = %s and as_of_date = %s group by 1 order by 1",
        [organization, AS_OF],
    )
    return [(currency, amounts) for currency, *amounts in found]


def test_payables_by_age(built, companies):
    database, _, _ = built
    for company in companies:
        assert aging_of(database, "bill__ap_aging", company.organization_id) == readme.aging(company, AS_OF)
        due = defaultdict(list)
        for bill in company.rows("bills"):
            if bill["dueAmount"] and not bill["archived"]:
                due[bill["vendorId"]].append(date.fromisoformat(bill["dueDate"]))
        query = "select vendor_id, open_bills, oldest_due_date from bill__ap_aging where organization_id = %s"
        assert {*database.execute(query, [company.organization_id])} == {
            (vendor, len(days), min(days)) for vendor, days in due.items()
        }


def test_receivables_by_age(built, companies):
    database, _, _ = built
    for company in companies:
        owed = Counter()
        for invoice, currency in receivable(company, "invoices"):
            if not invoice["archived"] and invoice["dueAmount"]:
                late = (AS_OF - date.fromisoformat(invoice["dueDate"])).days
                age = sum(late > most for most in (0, 30, 60, 90))
                owed[currency, age] += invoice["dueAmount"]
                owed[currency, 5] += invoice["dueAmount"]
        expected = [
            (currency, [owed[currency, age] or Decimal(0) for age in range(6)])
            for currency in sorted({currency for currency, _ in owed})
        ]
        assert expected
        assert aging_of(database, "bill__ar_aging", company.organization_id) == expected


DUE = dict(
    zip(
        (None, -1, 0, 1, 30, 31, 60, 61, 90, 91),
        (*["not_due_amount"] * 3, *["days_1_to_30_amount"] * 2, *["days_31_to_60_amount"] * 2,
         *["days_61_to_90_amount"] * 2, "over_90_days_amount"), strict=True,
    )
)  # fmt: skip
"""Days since something was due, and as what it is counted."""


@pytest.mark.parametrize(("table", "mart"), [("bills", "bill__ap_aging"), ("invoices", "bill__ar_aging")])
def test_the_day_that_something_grows_older(built, table, mart):
    database, _, _ = built
    expected = Counter()
    with database.transaction(force_rollback=True):
        rows = database.execute(f"select id from bill.{table} where {OPEN} order by id limit %s", [len(DUE)]).fetchall()
        database.execute(f"update bill.{table} set archived = true where {OURS}")
        for place, ((days, column), (row,)) in enumerate(zip(DUE.items(), rows, strict=True)):
            expected[column] += 2**place
            database.execute(
                f'update bill.{table} set archived = false, "dueAmount" = %s, "dueDate" = %s where {OURS} and id = %s',
                [2**place, None if days is None else AS_OF - timedelta(days=days), row],
            )
        found = aging_of(database, mart, SECOND)
    added = [sum(amounts) for amounts in zip(*(amounts for _, amounts in found), strict=True)]
    assert dict(zip(AGES.split(", "), added, strict=True)) == expected | {"open_amount": 2 ** len(DUE) - 1}


def test_bills_and_invoices(built, companies):
    database, _, _ = built
    for company in companies:
        names = {row["id"]: row["name"] for row in company.rows("vendors")}
        found = database.execute(
            "select bill_id, currency, invoice_number, vendor_name, is_live, is_open, due_amount, line_count"
            " from bill__bills_enhanced where organization_id = %s",
            [company.organization_id],
        )
        assert sorted(found) == sorted(
            (
                bill["id"],
                currency,
                bill["invoice"]["invoiceNumber"],
                names[bill["vendorId"]],
                not bill["archived"],
                not bill["archived"] and bill["dueAmount"] != 0,
                bill["dueAmount"],
                len(bill["billLineItems"]),
            )
            for bill, currency in payable(company, "bills")
        )
        found = database.execute(
            "select invoice_id, currency, amount, settled_amount, line_amount + coalesce(tax_amount, 0)"
            " from bill__invoices_enhanced where organization_id = %s",
            [company.organization_id],
        )
        assert sorted(found) == sorted(
            (
                invoice["id"],
                currency,
                invoice["totalAmount"],
                invoice["totalAmount"] - invoice["dueAmount"],
                invoice["totalAmount"],
            )
            for invoice, currency in receivable(company, "invoices")
        )
        for side, document in (("bills", "bill_id"), ("invoices", "invoice_id")):
            found = database.execute(
                f"select {document}, days_late, days_to_pay, last_settled_date, next_scheduled_date"
                f" from bill__{side}_enhanced where organization_id = %s",
                [company.organization_id],
            )
            assert {*found} == {*told_by_day(company, side)}
        found = database.execute(
            "select bill_id, amount_in_usd, settled_amount, line_amount from bill__bills_enhanced"
            " where organization_id = %s",
            [company.organization_id],
        )
        assert {*found} == {
            (row["id"], row["fundingAmount"], row["paidAmount"], sum(line["amount"] for line in row["billLineItems"]))
            for row in company.rows("bills")
        }


APPLIED = {
    "bills": (
        ("payments", "billPayments", "billId", "processDate"),
        ("vendor_credits", "usage", "billId", "creditDate"),
    ),
    "invoices": (
        ("receivable_payments", "invoicePayments", "invoiceId", "paymentDate"),
        ("credit_memos", "usage", "invoiceId", "creditDate"),
    ),
}
"""What settles bills and invoices: table, its parts, the field that names the document, the day."""


def told_by_day(company, side):
    """Of each bill or invoice: days late, days until it was paid, when it was last settled, when it will be next."""
    days = defaultdict(list)
    for table, parts, document, day in APPLIED[side]:
        for row in company.rows(table):
            state = "PAID" if parts == "usage" else row["status"]
            for part in row[parts]:
                days[part[document], state].append(date.fromisoformat(row[day]))
    for row in company.rows(side):
        last = max(days[row["id"], "PAID"], default=None)
        late = (AS_OF - date.fromisoformat(row["dueDate"])).days
        took = last and (last - date.fromisoformat((row.get("invoice") or row)["invoiceDate"])).days
        yield (
            row["id"],
            late if late > 0 and row["dueAmount"] and not row["archived"] else None,
            None if row["dueAmount"] else took,
            last,
            min(days[row["id"], "SCHEDULED"], default=None),
        )


def test_payment_applications(built, companies):
    database, _, _ = built
    states = {"PAID": "settled", "SCHEDULED": "scheduled"}
    expected = added_up(
        (key, amount)
        for company in companies
        for key, amount in (
            *(
                ((company.organization_id, currency, "payable", "payment", states.get(row["status"], "not settled")),
                 part["amount"])
                for row, currency in payable(company, "payments")
                for part in row["billPayments"]
            ),
            *(
                ((company.organization_id, currency, "receivable", "payment", states.get(row["status"], "not settled")),
                 part["amount"])
                for row, currency in receivable(company, "receivable_payments")
                for part in row["invoicePayments"]
            ),
            *(
                ((company.organization_id, currency, "payable", "credit", "settled"), part["amount"])
                for row, currency in payable(company, "vendor_credits")
                for part in row["usage"]
            ),
            *(
                ((company.organization_id, currency, "receivable", "credit", "settled"), part["amount"])
                for row, currency in receivable(company, "credit_memos")
                for part in row["usage"]
            ),
        )
    )  # fmt: skip
    assert {key[4] for key in expected} == {"settled", "scheduled", "not settled"}
    query = (
        "select organization_id, currency, direction, application_type, state, sum(amount)"
        " from bill__payment_applications group by 1, 2, 3, 4, 5"
    )
    assert asked(database, query) == expected
    with database.transaction(force_rollback=True):
        for organization, status in ((FIRST, "PENDING"), (SECOND, "APPROVING")):
            change = """update bill.payments set status = %s where "organizationId" = %s and status = 'SCHEDULED'"""
            assert database.execute(change, [status, organization]).rowcount
        assert asked(database, query) == expected


def month(text):
    return date.fromisoformat(text[:10]).replace(day=1)


def test_vendor_spend(built, companies):
    database, _, _ = built
    kinds = {
        "bills": (lambda row: row["invoice"]["invoiceDate"], lambda row: not row["archived"]),
        "vendor_credits": (itemgetter("creditDate"), lambda row: not row["archived"]),
        "payments": (itemgetter("processDate"), lambda row: row["status"] == "PAID"),
    }
    amount, one = itemgetter("amount"), lambda _: 1
    columns = {
        "bills": {"bills": one},
        "billed_amount": {"bills": amount},
        "credited_amount": {"vendor_credits": amount},
        "net_spend_amount": {"bills": amount, "vendor_credits": lambda row: -row["amount"]},
        "payments": {"payments": one},
        "paid_amount": {"payments": amount},
        "paid_in_usd": {"payments": itemgetter("fundingAmount")},
    }
    for column, tables in columns.items():
        expected = added_up(
            ((company.organization_id, currency, row["vendorId"], month(kinds[table][0](row))), of(row))
            for company in companies
            for table, of in tables.items()
            for row, currency in payable(company, table)
            if kinds[table][1](row)
        )
        assert expected
        query = f"select organization_id, currency, vendor_id, month, {column} from bill__vendor_spend"
        assert asked(database, query) == expected


def purchases(company):
    """Card transactions that were cleared."""
    return [row for row in company.spend.rows("transactions") if row["transactionType"] == "CLEAR"]


def dated(row):
    """The date of a bill or vendor credit."""
    return row["creditDate"] if "creditDate" in row else row["invoice"]["invoiceDate"]


def category(row):
    """What was chosen as category."""
    return next(field["selectedValues"][0]["value"] for field in row["customFields"] if field["name"] == "Category")


def test_spend_by_account(built, companies):
    database, _, _ = built
    cells = []
    for company in companies:
        accounts = {row["id"]: row for row in company.rows("chart_of_accounts")}
        by_name = {row["name"]: row["account"]["number"] for row in accounts.values()}
        for table, lines, sign in (("bills", "billLineItems", 1), ("vendor_credits", "vendorCreditLineItems", -1)):
            for row, currency in payable(company, table):
                for line in [] if row["archived"] else row[lines]:
                    coding = line["classifications"]
                    account = accounts[coding["chartOfAccountId"]]
                    where = [coding.get(f"{each}Id") for each in ("accountingClass", "department", "location")]
                    key = (company.organization_id, currency, table.removesuffix("s"), month(dated(row)))
                    cells.append(((*key, account["account"]["number"], account["name"], *where), sign * line["amount"]))
        for row in purchases(company):
            key = (company.organization_id, "USD", "card", month(row["occurredTime"]), by_name.get(category(row)))
            cells.append(((*key, category(row), None, None, None), row["amount"]))
    assert {key[4] for key, _ in cells if key[2] == "card"} == {"6200", "6300", None}
    query = (
        "select organization_id, currency, expense_type, month, account_number, account_name, class_id, department_id,"
        " location_id, {} from bill__spend_by_account"
    )
    assert asked(database, query.format("amount")) == added_up(cells)
    assert asked(database, query.format("lines")) == Counter(key for key, _ in cells)


def test_expense_detail(built, companies):
    database, _, _ = built
    for company in companies:
        everyone = {row["uuid"]: (row["firstName"], row["lastName"]) for row in company.spend.rows("users")}
        transactions = company.spend.rows("transactions")
        cleared = {row.get("originalAuthTransactionUuid") for row in transactions}
        expected = [
            (
                "card",
                row["uuid"],
                date.fromisoformat(row["occurredTime"][:10]),
                row["merchantName"],
                *everyone[row["userUuid"]],
                category(row),
                {"CLEAR": "cleared", "AUTHORIZATION": "pending"}[row["transactionType"]],
                row["amount"],
            )
            for row in transactions
            if row["transactionType"] != "DECLINE" and row["uuid"] not in cleared
        ]
        expected += [
            (
                "reimbursement",
                row["uuid"],
                date.fromisoformat(row["occurredDate"]),
                row["merchantName"],
                *everyone[row["userUuid"]],
                category(row),
                row["status"].lower(),
                row["amount"],
            )
            for row in company.spend.rows("reimbursements")
            if not row["retired"] or row["status"] == "PAID"
        ]
        vendors, accounts = (
            {row["id"]: row["name"] for row in company.rows(of)} for of in ("vendors", "chart_of_accounts")
        )
        expected += [
            (
                kind,
                row["id"],
                date.fromisoformat(dated(row)),
                vendors[row["vendorId"]],
                None,
                None,
                accounts[line["classifications"]["chartOfAccountId"]],
                row[state].lower(),
                sign * line["amount"],
            )
            for kind, lines, state, sign in (
                ("bill", "billLineItems", "paymentStatus", 1),
                ("vendor_credit", "vendorCreditLineItems", "status", -1),
            )
            for row in company.rows(f"{kind}s")
            if not row["archived"]
            for line in row[lines]
        ]
        found = database.execute(
            "select expense_type, document_id, expense_date, payee, spender_first_name, spender_last_name,"
            " account_name, state, amount from bill__expense_detail where organization_id = %s",
            [company.organization_id],
        )
        assert Counter(found) == Counter(expected)


def test_a_purchase_counts_once(built):
    """What was split into other purchases, and an authorization that was matched, are counted there."""
    database, _, _ = built
    query = (
        "select document_id from bill__expense_detail"
        f" where expense_type = 'card' and organization_id = '{SECOND}' and state = %s"
    )
    with database.transaction(force_rollback=True):
        before = {state: {*database.execute(query, [state])} for state in ("cleared", "pending")}
        split, pending = min(before["cleared"]), min(before["pending"])
        database.execute(
            'update bill.spend_transactions set "parentTransactionId" = (select id from bill.spend_transactions where'
            f" uuid = %s and {OURS}) where uuid = %s and {OURS}",
            [*split, *max(before["cleared"])],
        )
        database.execute(
            'update bill.spend_transactions set "matchedClearTransactionUuid" = %s where uuid = %s',
            [*split, *pending],
        )
        after = {state: {*database.execute(query, [state])} for state in ("cleared", "pending")}
    assert after == {"cleared": before["cleared"] - {split}, "pending": before["pending"] - {pending}}


def test_what_names_an_account(built):
    """One choice, or a note; not several choices, and not a name that two accounts have."""
    database, _, _ = built
    query = (
        "select document_id, account_name, account_number from bill__expense_detail"
        f" where expense_type = 'card' and organization_id = '{SECOND}' and account_number is not null order by 1"
    )
    both = f'from bill.spend_transaction_custom_field_values as value where {OURS} and "transactionUuid" = %s'
    category = """ and "customFieldUuid" in (select field.uuid from bill.spend_transaction_custom_fields as field
        where field."transactionUuid" = value."transactionUuid" and name = 'Category')"""
    with database.transaction(force_rollback=True):
        (several, *_), (noted, name, number), (other, *_) = before = database.execute(f"{query} limit 3").fetchall()
        database.execute(f"create temp table more as select value.* {both} {category}", [several])
        database.execute("update more set uuid = 'new', value = 'Another'")
        database.execute("insert into bill.spend_transaction_custom_field_values table more")
        database.execute(f"delete {both} {category}", [noted])
        note = f'update bill.spend_transaction_custom_fields set note = %s where {OURS} and "transactionUuid" = %s'
        database.execute(f"{note} and name = 'Category'", [name.upper(), noted])
        assert database.execute(f"{query} limit 2").fetchall() == [(noted, name, number), before[2]]
        twice = f"update bill.chart_of_accounts set name = %s where {OURS} and account ->> 'number' = '6100'"
        database.execute(twice, [before[2][1]])
        assert other not in {row[0] for row in database.execute(query)}


def test_cash_forecast(built, companies):
    database, _, _ = built
    columns = defaultdict(list)
    for company in companies:
        sides = {
            "out": (payable(company, "bills"), payable(company, "payments"), "processDate"),
            "in": (receivable(company, "invoices"), receivable(company, "receivable_payments"), "paymentDate"),
        }
        for side, (documents, payments, day) in sides.items():
            columns[f"due_{side}_amount"] += [
                (
                    (company.organization_id, currency, week(row["dueDate"])),
                    row["dueAmount"] - row["scheduledAmount"],
                )
                for row, currency in documents
                if not row["archived"]
            ]
            columns[f"scheduled_{side}_amount"] += [
                (
                    (company.organization_id, currency, week(row[day])),
                    row["amount"] - row.get("unappliedAmount", 0),
                )
                for row, currency in payments
                if row["status"] == "SCHEDULED"
            ]
    for sign, side in ((1, "in"), (-1, "out")):
        for kind in ("due", "scheduled"):
            columns["net_amount"] += [(key, sign * amount) for key, amount in columns[f"{kind}_{side}_amount"]]
    for column, cells in columns.items():
        assert added_up(cells)
        query = f"select organization_id, currency, week, {column} from bill__cash_forecast"
        assert asked(database, query) == added_up(cells)
    last = "(array_agg(cumulative_net_amount order by week desc))[1]"
    assert asked(database, f"select organization_id, currency, {last} from bill__cash_forecast group by 1, 2") == asked(
        database, "select organization_id, currency, sum(net_amount) from bill__cash_forecast group by 1, 2"
    )


def week(text):
    day = max(date.fromisoformat(text), AS_OF)
    return day - timedelta(days=day.weekday())


def test_approval_cycle(built, companies):
    database, _, _ = built
    query = (
        "select bill_id, currency, approval_status, approvers, approved, denied, waiting, first_decision_time,"
        " last_decision_time, hours_to_first_decision, hours_to_approval, next_approver_id, days_waiting"
        " from bill__approval_cycle where organization_id = %s"
    )
    for company in companies:
        expected = {
            approvals(bill, currency)
            for bill, currency in payable(company, "bills")
            if not bill["archived"] and bill.get("approvers")
        }
        assert {*database.execute(query, [company.organization_id])} == expected
        assert {row[2] for row in expected} >= {"APPROVED", "ASSIGNED"}
    with database.transaction(force_rollback=True):
        place = f"case when {OURS} then -position else position end"
        database.execute(f"""update bill.bill_approvers set status = 'WAITING', "approverOrder" = {place}""")
        for company, first in zip(companies, (0, -1), strict=True):
            found = database.execute(query, [company.organization_id])
            assert {(row[0], row[11]) for row in found} == {
                (bill["id"], bill["approvers"][first]["userId"])
                for bill in company.rows("bills")
                if not bill["archived"] and bill.get("approvers")
            }


def approvals(bill, currency):
    """A row of bill__approval_cycle."""
    steps, entered = bill["approvers"], instant(bill["createdTime"])
    states = Counter(each["status"] for each in steps)
    decided = sorted(instant(each["statusChangedTime"]) for each in steps if "statusChangedTime" in each)
    first, last = (decided[0], decided[-1]) if decided else (None, None)
    waits = next((each["userId"] for each in steps if each["status"] == "WAITING"), None)
    return (
        bill["id"],
        currency,
        bill["approvalStatus"],
        len(steps),
        states["APPROVED"],
        states["DENIED"],
        states["WAITING"],
        first,
        last,
        hours(entered, first),
        hours(entered, last) if bill["approvalStatus"] == "APPROVED" else None,
        waits,
        (AS_OF - (last or entered).date()).days if waits else None,
    )


def instant(text):
    """A time as the warehouse keeps it: in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def hours(start, end):
    """How often the clock strikes between two times."""
    whole = {"minute": 0, "second": 0, "microsecond": 0}
    return end and (end.replace(**whole) - start.replace(**whole)) // timedelta(hours=1)


def test_loaded(built, companies):
    database, _, _ = built
    found = database.execute("select organization_id, organization_name, table_name, row_count from bill__loaded")
    counted = {tuple(row) for row in found}
    for company in companies:
        (organization,) = company.rows("organization")
        for table in ("customers", "invoices", "payments"):
            rows = len(company.rows(table)) * (1 + (company is companies[0] and table in DELETED))
            assert (company.organization_id, organization["name"], table, rows) in counted
    tables = [name for (name,) in database.execute("select tablename from pg_tables where schemaname = 'bill'")]
    rows = [database.execute(f'select count(*) from bill."{table}"').fetchone()[0] for table in tables]
    assert sum(count for *_, count in counted) == sum(rows)
    times = database.execute("select distinct last_read_time from bill__loaded where last_read_time is not null")
    assert [time.isoformat(" ") for (time,) in times] == [AUDITED]


# What is missing is noticed

OURS = f"\"organizationId\" = '{SECOND}'"
OPEN = f"""{OURS} and not archived and "dueAmount" > 1 and left(id, 5) <> 'gone-'"""
PART = f"""{OURS} and "paymentId" in (select id from bill.payments where {OURS} and status = '{{}}')"""
LINE = f'{OURS} and "billId" in (select id from bill.bills where {OURS} and not archived)'

LOSSES = {
    "open_bills_equal_vendor_balances": ("bills", OPEN, '"dueAmount"'),
    "open_invoices_equal_customer_balances": ("invoices", OPEN, '"dueAmount"'),
    "payments_equal_what_was_applied": ("payment_bill_payments", PART.format("PAID"), "amount"),
    "paid_amounts_equal_what_was_applied": ("payment_bill_payments", PART.format("PAID"), "amount"),
    "bill_amounts_equal_their_lines": ("bill_line_items", LINE, "amount"),
    "forecast_equals_open_amounts": ("payment_bill_payments", PART.format("SCHEDULED"), "amount"),
}
"""For each tie-out: the table that loses a row or a cent, which row of it, and the column of the cent."""


@pytest.mark.parametrize("loss", ["one cent", "one row"])
@pytest.mark.parametrize("test", LOSSES)
def test_a_tie_out_notices(built, test, loss):
    database, results, _ = built
    table, which, column = LOSSES[test]
    row = f'(select ctid from bill."{table}" where {which} limit 1)'
    compiled = results[test]["compiled_code"]
    assert not database.execute(compiled).fetchall()
    with database.transaction(force_rollback=True):
        if loss == "one row":
            changed = database.execute(f'delete from bill."{table}" where ctid = {row}')
        else:
            changed = database.execute(f'update bill."{table}" set {column} = {column} - 0.01 where ctid = {row}')
        assert changed.rowcount == 1
        assert database.execute(compiled).fetchall()


BREACHES = {
    "unique_key_stg_bill__roles": "insert into bill.roles select * from bill.roles limit 1",
    "unique_key_bill__bills_enhanced": (
        f"update bill.bills set id = null where {OURS} and id = (select min(id) from bill.bills where {OPEN})"
    ),
    "references_exist_stg_bill__payments": f"delete from bill.vendors where {OURS}",
    "references_exist_stg_bill__bill_line_items": f"delete from bill.chart_of_accounts where {OURS}",
}


@pytest.mark.parametrize("test", BREACHES)
def test_a_breach_is_noticed(built, test):
    database, results, _ = built
    (compiled,) = (result["compiled_code"] for name, result in results.items() if name.startswith(f"dbt_bill_{test}_"))
    assert not database.execute(compiled).fetchall()
    with database.transaction(force_rollback=True):
        assert database.execute(BREACHES[test]).rowcount
        assert database.execute(compiled).fetchall()


# The report

HOSTILE = '<script>alert("1")</script> & Söhne'
REPORTED = (
    "ap_aging", "approval_cycle", "bills_enhanced", "cash_forecast", "loaded", "spend_by_account", "vendor_spend",
)  # fmt: skip
EXCEPTIONS = """
    create table {}.bill__control_exceptions (
        control text, title text, organization_id text, currency text, amount numeric, vendor_name text,
        record_table text, record_id text, record_date date, reason text
    )
"""


class Page(HTMLParser):
    """The parts of a page: what its charts say aloud, what is written, its tables; tags have to be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.charts, self.tables, self.texts, self.addresses = [], {}, [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        if attributes.get("role") == "img":
            title, _, figures = attributes["aria-label"].removesuffix(".").partition(". ")
            self.charts[title] = figures.split("; ")
        if tag == "tr":
            self.tables.append([])
        if tag in {"td", "th"}:
            self.tables[-1].append("")
        self.addresses += [value for name, value in attributes.items() if name in {"src", "href", "xlink:href"}]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(" ".join(data.split()))
        if {"td", "th"} & {*self.open}:
            self.tables[-1][-1] += data.strip()


def fill(database, schema, rows):
    """Make marts with the columns that they have, and these rows in them."""
    database.execute(f"create schema {schema}")
    for mart in REPORTED:
        database.execute(f"create table {schema}.bill__{mart} as select * from analytics.bill__{mart} where false")
    if "control_exceptions" in rows:
        database.execute(EXCEPTIONS.format(schema))
    for mart, listed in rows.items():
        for row in listed:
            values = ", ".join(["%s"] * len(row))
            database.execute(
                f"insert into {schema}.bill__{mart} ({', '.join(row)}) values ({values})", list(row.values())
            )


def report(database, *arguments, capsys):
    """Run the command; give its exit code and what it printed."""
    from demo.report.__main__ import main  # noqa: PLC0415 - altair takes a second: not in every worker

    code = main(["--dsn", database.info.dsn, *map(str, arguments)])
    return code, *capsys.readouterr()


def both(**columns):
    """A row, in dollars and of the first organization unless it says otherwise."""
    return {"organization_id": FIRST, "currency": "USD"} | columns


def test_report(built, tmp_path, capsys):
    database, _, _ = built
    yen = {"currency": "JPY"}
    second = {"organization_id": SECOND}
    ages = [
        both(open_bills=2, not_due_amount="1234567.89", days_1_to_30_amount="0.10"),
        both(open_bills=1, days_31_to_60_amount="0.20", **second),
        both(open_bills=1, over_90_days_amount=5000000, **yen),
    ]
    nothing = dict.fromkeys(re.findall(r"\w+", AGES), 0)
    spent = {"expense_type": "bill", "month": date(2026, 6, 1), "account_number": "6100", "account_name": HOSTILE}
    vendor = {"vendor_id": "v1", "vendor_name": HOSTILE, "month": date(2026, 6, 1)}
    approved = {"bill_id": "b1", "last_decision_time": "2026-06-30 23:00"}
    found = {"control": "c", "title": "Paid <b>twice</b>", "record_table": "bills", "record_id": "b1", "reason": "why"}
    rows = {
        "ap_aging": [{**nothing, "as_of_date": AS_OF, **row} for row in ages],
        "bills_enhanced": [
            both(is_live=True, is_open=True, days_late=5, due_amount="60.10", scheduled_amount=None),
            both(is_live=True, is_open=True, days_late=None, due_amount="1000", scheduled_amount=None),
            both(is_live=True, is_open=True, days_late=900, due_amount=5000000, scheduled_amount=0, **yen),
        ],
        "cash_forecast": [
            {"as_of_date": AS_OF, "scheduled_out_amount": scheduled, "due_out_amount": due} | both(week=week, **more)
            for week, scheduled, due, more in (
                (date(2026, 6, 29), "50.05", "100.10", {}),
                (date(2026, 7, 13), "7.00", "0", {}),
                (date(2026, 7, 13), "0.01", "0", second),
                (date(2026, 6, 29), "0", "5000000", yen),
                (date(2027, 1, 4), "0", "3", yen),
            )
        ],
        "spend_by_account": [
            both(**spent, amount="0.10"),
            both(**spent, amount="0.20", **second),
            both(**spent | {"month": date(2025, 7, 1)}, amount="-0.05"),
            both(**spent | {"month": date(2025, 6, 1)}, amount="1000"),
            both(**spent | {"account_number": None, "account_name": None}, amount="12.3456"),
            both(**spent, amount=7, **yen),
        ],
        "vendor_spend": [
            both(**vendor, net_spend_amount="20.00"),
            both(**vendor | {"month": date(2025, 7, 1)}, net_spend_amount="-0.50"),
            both(**vendor | {"month": date(2025, 6, 1)}, net_spend_amount="1000"),
            both(**vendor, net_spend_amount=9, **yen),
            *(both(**vendor | {"vendor_id": n, "vendor_name": f"V{n}"}, net_spend_amount=n) for n in range(1, 13)),
        ],
        "approval_cycle": [
            both(**approved, hours_to_approval=10),
            both(**approved, hours_to_approval=100),
            both(**approved | {"last_decision_time": "2025-06-30 23:00"}, hours_to_approval=7),
            both(bill_id="b2", vendor_name=HOSTILE, invoice_number="<i>", amount="9.9", due_date=AS_OF, days_waiting=3),
        ],
        "control_exceptions": [
            *(both(**found, vendor_name=HOSTILE, amount=n, record_date=AS_OF) for n in range(1, 12)),
            both(**found, amount=None, **second | {"currency": None}),
        ],
        "loaded": [
            {"organization_id": FIRST, "organization_name": "Alpha <&>", "table_name": "bills", "row_count": 1234,
             "last_read_time": "2026-07-01 12:00"},
            {"organization_id": SECOND, "organization_name": None, "table_name": "bills", "row_count": 1},
        ],
    }  # fmt: skip
    fill(database, "shown", rows)
    file = tmp_path / "made.html"
    assert report(database, "--schema", "shown", "--output", file, capsys=capsys) == (0, f"{file}\n", "")
    text = file.read_text(encoding="utf-8")
    page = Page(text)

    # Nothing runs, and nothing is loaded from anywhere.
    assert "<script" not in text
    assert not page.addresses
    assert {*re.findall(r"url\(.*?\)", text)} == {"url(#hatched)"}
    assert "@import" not in text
    assert "http" not in text

    assert page.charts == {
        "Owed in USD on 30 Jun 2026, by age": [
            "Not due: 1,234,567.89", "1-30 days late: 0.10", "31-60 days late: 0.20", "61-90 days late: 0.00",
            "Over 90 days late: 0.00",
        ],
        "Owed in JPY on 30 Jun 2026, by age": [
            "Not due: 0", "1-30 days late: 0", "31-60 days late: 0", "61-90 days late: 0",
            "Over 90 days late: 5,000,000",
        ],
        "Cash out in USD by week": ["Overdue: 60.10", "This week: 90.05", "6 Jul: 0.00", "13 Jul: 7.01"],
        "Cash out in JPY by week": [
            "Overdue: 5,000,000", "This week: 0", "6 Jul: 0", "13 Jul: 0", "20 Jul: 0", "27 Jul: 0", "3 Aug: 0",
            "10 Aug: 0", "17 Aug: 0", "24 Aug: 0", "Later: 3",
        ],
        "Spent in USD by account": ["All accounts: 12.5956", "No account: 12.3456", f"6100 {HOSTILE}: 0.25"],
        "Spent in JPY by account": ["All accounts: 7", f"6100 {HOSTILE}: 7"],
        "Top vendors in USD": [
            f"{HOSTILE}: 19.50", *(f"V{n}: {n}.00" for n in range(12, 3, -1)), "All 3 others: 6.00",
        ],
        "Top vendors in JPY": [f"{HOSTILE}: 9"],
        "Bills by the time that their approval took": [
            "Within a day: 1 (50 %)", "1-3 days: 0 (0 %)", "3-7 days: 1 (50 %)", "1-2 weeks: 0 (0 %)",
            "2-4 weeks: 0 (0 %)", "Longer: 0 (0 %)",
        ],
        "Median hours to approval, by month of approval": [
            "Jul: \u2013", "Aug: \u2013", "Sep: \u2013", "Oct: \u2013", "Nov: \u2013", "Dec: \u2013", "Jan: \u2013",
            "Feb: \u2013", "Mar: \u2013", "Apr: \u2013", "May: \u2013", "Jun: 10",
        ],
    }  # fmt: skip
    # What is said of a chart is written in it, too.
    assert {"1,234,567.89", "90.05", "7.01", "12.3456", "19.50", "All 3 others", "1 (50 %)"} <= {*page.texts}

    alpha, beta = "Alpha <&>", SECOND
    assert [row for row in page.tables if row[0] in {alpha, beta} and len(row) == 9] == [
        [beta, "USD", "1", "0.20", "0.20", "100 %", "0.00", "0.01", "0.20"],
        [alpha, "USD", "2", "1,234,567.99", "0.10", "< 1 %", "0.00", "57.05", "12.3956"],
        [alpha, "JPY", "1", "5,000,000", "5,000,000", "100 %", "5,000,000", "0", "7"],
    ]
    assert [alpha, HOSTILE, "<i>", "USD 9.90", "30 Jun 2026", "3"] in page.tables
    found_amounts = [row[2] for row in page.tables if row[-1] == "billsb1"]
    assert found_amounts == [*(f"USD {n}.00" for n in range(11, 1, -1)), "\u2013"]
    assert "And 1 more, in the mart bill__control_exceptions." in page.texts
    assert ["bills", "1,234", "1 Jul 2026"] in page.tables
    assert f"{beta}, {alpha}" in page.texts
    assert any(each.startswith(", made on ") for each in page.texts)


def test_report_of_empty_marts(built, tmp_path, capsys):
    database, _, _ = built
    fill(database, "empty", {})
    file = tmp_path / "made.html"
    run = report(database, "--schema", "empty", "--as-of", "2026-06-30", "--output", file, capsys=capsys)
    assert run == (0, f"{file}\n", "")
    page = Page(file.read_text(encoding="utf-8"))
    assert not page.charts
    assert {
        "Nothing is owed, and nothing was spent.", "Nothing is owed.", "Nothing is to be paid.", "Nothing was spent.",
        "No organization", "Nothing was bought.",
        "No bill was approved from July 2025 to June 2026.", "No bill waits for an approval.",
        "The control tests are not reported: the mart bill__control_exceptions is not in this warehouse.", "Nothing.",
    } <= {*page.texts}  # fmt: skip


WRONG = {
    "no marts": (
        ["--schema", "bill"],
        ("The schema 'bill' of this database lacks bill__ap_aging, bill__approval_cycle, bill__bills_enhanced,"
        " bill__cash_forecast, bill__loaded, bill__spend_by_account, bill__vendor_spend. Build the marts first:"
        " `dbt build --project-dir dbt_bill` (see dbt_bill/README.md); or name their schema with --schema."),
    ),
    "another day": (
        ["--as-of", "2026-05-31"],
        ("The marts are reckoned on 2026-06-30, not 2026-05-31. Build them all for one day:"
        " `dbt build --project-dir dbt_bill --vars 'bill_as_of: YYYY-MM-DD'`."),
    ),
    "another company": (
        ["--organization", "008X"], f"The marts hold no organization 008X; they hold: {FIRST}, {SECOND}."
    ),
    "no address": (
        ["--dsn", "hidden password"],
        "--dsn is not an address of PostgreSQL. Write it as postgresql://user@host:5432/database.",
    ),
    "no warehouse": (["--dsn", "host=/nowhere"], "The warehouse cannot be read: "),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_report_says_in_one_line_what_is_amiss(built, capsys, wrong):
    arguments, said = WRONG[wrong]
    code, printed, error = report(built[0], *arguments, capsys=capsys)
    assert (code, printed, error.count("\n")) == (1, "", 1)
    assert error.startswith(said)


def test_report_that_cannot_be_written(built, tmp_path, capsys):
    run = report(built[0], "--schema", "empty", "--output", tmp_path, capsys=capsys)
    assert run == (1, "", f"The report could not be written to {tmp_path}: Is a directory.\n")


# The controls

CONTROLS = {path.stem for path in (PROJECT / "dbt_bill" / "models" / "controls").glob("bill__control_*.sql")}
CONTROLS = sorted(name.removeprefix("bill__control_") for name in CONTROLS - {"bill__control_exceptions"})


def just_below_a_threshold(company):
    """Bills that cost so much because they do."""
    bands = [(Decimal(amount) * 95 / 100, amount) for amount in (THRESHOLD, OTHER_THRESHOLD)]
    return {
        bill["id"]
        for bill in company.rows("bills")
        if not bill["archived"] and any(low <= bill["fundingAmount"] < high for low, high in bands)
    }


def old_credits(company):
    """Vendor credits that nobody has used up in 90 days."""
    return {
        credit["id"]
        for credit in company.rows("vendor_credits")
        if not credit["archived"]
        and credit["appliedAmount"] < credit["amount"]
        and date.fromisoformat(credit["creditDate"]) < AS_OF - timedelta(days=90)
    }


def voided_checks(company):
    """Checks that were voided and followed by another payment."""
    return {
        payment["id"]
        for payment in company.rows("payments")
        if payment["disbursementType"] == "CHECK" and payment["status"] == "VOID"
    }


OTHERS = {
    "below_approval_threshold": just_below_a_threshold,
    "unapplied_credits": old_credits,
    "voided_and_stale_checks": voided_checks,
}
"""What some controls find besides what was planted, because it is there: by control, from the company's rows."""


SAID = {
    "exact_duplicate_bills": (
        "entered twice", "640.00",
        "Invoice MC-2041 of 2026-03-02 over 640 was entered on 2026-03-04, and again on 2026-03-19."),
    "likely_duplicate_bills": (
        "the same number for another amount", "330.00",
        "Invoice T/77 over 330 has the number of invoice T-77 over 300, which is dated 30 days apart."),
    "duplicate_payments": (
        "one bill paid twice, once by hand", "1830.00",
        "With this payment, 3660 were paid for invoice F-310, of which 1830 were owed."),
    "duplicate_vendors": (
        "the same bank account", None, "Agrees with the vendor Osprey Courier of 2023-11-06: bank account."),
    "bank_details_changed": (
        "still to be paid", "1136.00",
        "Routing number of the vendor was changed on 2026-06-30, 7 days before this payment of 2026-07-07."),
    "creator_is_approver": (
        "approved as the second", "1130.00",
        "Who entered invoice LC-1130 on 2026-05-05 also approved it on 2026-05-07."),
    "creator_is_payer": (
        "one of two bills paid by its creator", "4520.00",
        "Who entered invoice H-24 on 2026-03-03 also made the payment of 2026-03-13 for it."),
    "paid_without_approval": (
        "one of two has approved", "1314.00",
        "Paid on 2026-04-20 although its approval is APPROVING: 1 of 2 have approved."),
    "below_approval_threshold": (
        "five percent below", "475.00", "475 US dollars are just below 500, from which on bills need approval."),
    "paid_before_invoice": (
        "one of two bills", "620.00", "Paid on 2026-02-12, 17 days before the date of invoice O-2, 2026-03-01."),
    "unapplied_credits": (
        "used in part", "190.00", "190 of the credit over 700 of 2026-01-15 were not used in 166 days."),
    "1099_without_tax_id": (
        "paid this year", "3350.00", "Tracked for Form 1099 without a tax id; 3350 were paid since 2026-01-01."),
    "voided_and_stale_checks": (
        "sent 91 days ago", "2140.00", "Check 9020117 was sent 91 days ago, on 2026-03-31, and was not cashed."),
    "spend_without_receipts": (
        "a reimbursement", "130.00", "No receipt for 130 spent at Corner Café on 2026-05-10."),
}  # fmt: skip
"""What each control says of one of the cases, and over which amount."""


@pytest.fixture(scope="module")
def exceptions(built):
    """What the controls found, by control: organization and record, and the row."""
    database, _, _ = built
    cursor = database.execute("select * from bill__control_exceptions order by control, organization_id, record_id")
    found = defaultdict(list)
    for values in cursor:
        row = dict(zip((column.name for column in cursor.description), values, strict=True))
        found[row["control"]].append(((row["organization_id"], row["record_id"]), row))
    return found


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_finds_what_was_planted_and_nothing_else(exceptions, companies, control):
    expected, look_alikes = set(), set()
    name, amount, reason = SAID[control]
    for company in companies:
        planted, others = company.irregularities[control], OTHERS.get(control, lambda _: set())(company)
        expected |= {(company.organization_id, record) for record in {*planted.cases.values(), *others}}
        look_alikes |= {(company.organization_id, record) for record in planted.look_alikes.values()}
        row = dict(exceptions[control])[company.organization_id, planted.cases[name]]
        assert (row["amount"], row["reason"]) == (amount and Decimal(amount), reason)
    assert look_alikes
    assert not look_alikes & expected
    assert [record for record, _ in exceptions[control]] == sorted(expected)


def test_an_exception_says_what_it_is_about(exceptions, companies):
    """One row of the report, and that no row lacks what a reader needs."""
    company, changed = companies[0], "bankAccount.accountNumber"
    payment = company.row("payments", company.irregularities["bank_details_changed"].cases["paid within days"])
    assert dict(exceptions["bank_details_changed"])[FIRST, payment["id"]] == {
        "control": "bank_details_changed",
        "title": "Bank details changed shortly before a payment",
        "organization_id": FIRST,
        "currency": "USD",
        "amount": payment["amount"],
        "vendor_name": "Cinder Electrical",
        "record_table": "payments",
        "record_id": payment["id"],
        "record_date": date(2026, 5, 13),
        "reason": f"{changed} of the vendor was changed on 2026-05-10, 3 days before this payment of 2026-05-13.",
    }
    rows = [row for found in exceptions.values() for _, row in found]
    assert {row["record_table"] for row in rows} == {
        "bills", "payments", "vendors", "vendor_credits", "spend_transactions", "spend_reimbursements",
    }  # fmt: skip
    for row in rows:
        empty = {"amount"} if row["control"] == "duplicate_vendors" else set()
        assert {name for name, value in row.items() if value is None} == empty
        assert "?" not in row["reason"]
        # No decimals, two, or as many as it takes.
        assert not re.search(r"[.](0+|[0-9]|[0-9]{2,}0)\b", row["reason"])


THIS = 'where "organizationId" = %(organization)s'
RECORD, PURCHASE, PAID_BY_IT = (f"{THIS} and {key} = %(id)s" for key in ("id", "uuid", '"paymentId"'))
ITS_BILLS = f'{THIS} and id in (select "billId" from bill.payment_bill_payments {PAID_BY_IT})'
VOIDED = f"""
    insert into bill.payment_voids ("organizationId", "paymentId", id, status, reason, "parentUpdatedTime")
    select "organizationId", id, 'new', '{{}}', 'lost', "updatedTime" from bill.payments {RECORD}
"""

EDITED = {
    "exact_duplicate_bills": {
        "entered twice": (
            f"""update bill.bills set invoice = invoice || '{{"invoiceDate": "2026-03-03"}}' {RECORD}""", None),
        "the second of three in euros": (f"update bill.bills set amount = amount + 0.01 {RECORD}", None),
    },
    "likely_duplicate_bills": {
        "the same amount within days": (f"update bill.bills set amount = 0 {THIS} and amount = 955.10", None),
        "the number written otherwise": (f"update bill.bills set archived = true {RECORD}", None),
    },
    "duplicate_payments": {
        "one bill paid twice, once by hand": (f"update bill.bills set archived = true {ITS_BILLS}", None),
        "two bills of the same amount": (
            f"update bill.payments set amount = 761 {THIS} and amount = 760 and id <> %(id)s", None),
        "a bill paid in two halves": (f'update bill.bills set "creditAmount" = 0.01 {ITS_BILLS}', ""),
    },
    "duplicate_vendors": {
        "the same digits of a masked tax id": (
            f"""update bill.vendors set "additionalInfo" = "additionalInfo" || '{{"taxId": "***12-3456"}}' {THIS}
            and "additionalInfo" ->> 'taxId' = '***-**-6789'""", None),
        "the same bank account": (
            f"""insert into bill.vendor_bank_accounts ("organizationId", "vendorId", "accountNumber", "routingNumber")
            select "organizationId", id, '***77123', '074000010' from bill.vendors {RECORD};
            update bill.vendors set "paymentInformation" = "paymentInformation" - 'bankAccount' {RECORD}""", ""),
    },
    "bank_details_changed: paid on the day": {
        "paid the day before": (f"""update bill.payments set "processDate" = '2026-05-10' {RECORD}""", ""),
    },
    "bank_details_changed: twice": {
        "paid within days": (
            f"""create temp table older as select * from bill.vendor_audit_trail {THIS}
            and field ->> 'name' = 'bankAccount.accountNumber';
            update older set position = 99, "createdTime" = '2026-05-09';
            insert into bill.vendor_audit_trail table older; drop table older""",
            "was changed on 2026-05-10, 3 days before this payment of 2026-05-13."),
    },
    "creator_is_payer": {
        "paid by its creator": (f"update bill.bills set archived = true {ITS_BILLS}", None),
    },
    "paid_without_approval": {
        "nobody was asked, over the threshold": (f'update bill.bills set "fundingAmount" = 500 {RECORD}', ""),
        "nobody has approved": (f"update bill.bills set archived = true {RECORD}", None),
        "approved afterwards": (
            f"""create temp table part as select * from bill.payment_bill_payments {THIS} and "billId" = %(id)s;
            create temp table again as select * from bill.payments {THIS} and id in (select "paymentId" from part);
            update again set id = 'new', "processDate" = '2026-05-20'; update part set "paymentId" = 'new', id = 'new';
            insert into bill.payments table again; insert into bill.payment_bill_payments table part;
            drop table again; drop table part""", "Paid on 2026-04-20, and approved only on 2026-04-21."),
        "passed on and approved": (
            f"""update bill.bill_approvers set status = 'APPROVED', "statusChangedTime" = '2026-04-21' {THIS}
            and "billId" = %(id)s and status = 'REROUTED'""", "Paid on 2026-04-20, and approved only on 2026-04-21."),
    },
    **{f"below_approval_threshold: {why}": {
        "a cent below": (f"{change} {THIS}", None),
        "below another threshold": ("select 1", ""),
    } for why, change in {
        "the policy is off": "update bill.bill_approval_policies set status = 'Disabled'",
        "it says at most": "update bill.bill_approval_policy_rules set op = 'lte'",
        "it is gone": """insert into bill.sync_audit select distinct "organizationId", 'bill_approval_policies',
        timestamp '2026-07-02', timestamp '2026-07-02', 1 from bill.bill_approval_policies""",
        "it has two rules": """insert into bill.bill_approval_policy_rules
        ("organizationId", "billApprovalPolicyId", position, key, op)
        select "organizationId", "billApprovalPolicyId", position + 1, key, op from bill.bill_approval_policy_rules""",
    }.items()},
    "1099_without_tax_id": {
        "paid this year": (
            f"""update bill.payments set "processDate" = '2025-12-31' {THIS} and "vendorId" = %(id)s""",
            "Tracked for Form 1099 without a tax id; 0 were paid since 2026-01-01."),
    },
    "voided_and_stale_checks": {
        "cashed": (VOIDED.format("REJECTED"), None),
        "cashed, as its delivery tells": (VOIDED.format("ACCEPTED"), ""),
    },
    "spend_without_receipts": {
        "a purchase": (f"""update bill.spend_transactions set "receiptStatus" = 'ATTACHED' {PURCHASE}""", None),
        "marked as missing": (
            f"""insert into bill.spend_transaction_receipts
            ("organizationId", "transactionUuid", uuid, "parentUpdatedTime")
            select "organizationId", uuid, 'new', "updatedTime" from bill.spend_transactions {PURCHASE}""", None),
        "a reimbursement": (
            f"update bill.spend_reimbursements set retired = true, status = 'APPROVED' {PURCHASE}", None),
    },
}  # fmt: skip
"""What is done to records that were planted, and what the control says of them then, in part; `None`: nothing."""


@pytest.mark.parametrize("case", EDITED)
def test_a_control_goes_by_what_is_there(built, companies, exceptions, case):
    database, _, _ = built
    control, edits = case.partition(":")[0], EDITED[case]
    planted = companies[1].irregularities[control]
    ids = planted.cases | planted.look_alikes
    with database.transaction(force_rollback=True):
        for name, (statements, _) in edits.items():
            for statement in statements.split(";"):
                database.execute(statement, {"id": ids[name], "organization": SECOND})
        found = database.execute(
            "select organization_id, record_id, reason from bill__control_exceptions where control = %s", [control]
        ).fetchall()
    before = [record for record, _ in exceptions[control] if record[0] == FIRST]
    assert sorted(row[:2] for row in found if row[0] == FIRST) == before
    reasons = {record: reason for organization, record, reason in found if organization == SECOND}
    assert {name for name in edits if ids[name] in reasons} == {name for name in edits if edits[name][1] is not None}
    for name, (_, said) in edits.items():
        assert said is None or said in reasons[ids[name]]


# In a project of one's own, on DuckDB


@pytest.fixture(scope="module")
def on_duckdb(built):
    """The marts built from the same rows, whose columns have the names that other loaders give, by another project."""
    database, _, dbt = built
    dbt.copy(database)
    project = another_project(dbt.folder)
    wanted = ["--select", "+dbt_bill.marts", "+dbt_bill.controls", "dialects", "--exclude-resource-types", "test"]
    for command, *arguments in (["deps"], ["build", *wanted]):
        success, results, printed = dbt.run(command, *arguments, project=project)
        assert success, printed
    return results


def another_project(folder):
    """A project that installs dbt_bill from a folder of a Git repository, as docs/analytics.md says."""
    repository, project = folder / "repository", folder / "project"
    # Without the tests and descriptions of the models, which take seven seconds to parse once more.
    descriptions = ("stg_bill.yml", "int_bill.yml", "bill.yml", "bill_controls.yml")
    unneeded = shutil.ignore_patterns("target", "logs", "dbt_packages", *descriptions)
    shutil.copytree(PROJECT / "dbt_bill", repository / "dbt_bill", ignore=unneeded)
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "dbt_bill"]):
        subprocess.run([*git, *arguments], cwd=repository, check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True)
    package = {"git": repository.as_uri(), "revision": commit.stdout.strip(), "subdirectory": "dbt_bill"}
    duckdb = {"type": "duckdb", "path": str(folder / "warehouse.duckdb"), "schema": "analytics", "threads": 4}
    files = {
        "profiles.yml": {"dbt_bill": {"target": "duckdb", "outputs": {"duckdb": duckdb}}},
        "packages.yml": {"packages": [package]},
        "dbt_project.yml": {
            "name": "ours",
            "profile": "dbt_bill",
            "vars": {"bill_schema": "loaded", "bill_as_of": AS_OF.isoformat()} | THRESHOLDS,
            "models": {"dbt_bill": {"marts": {"bill__vendor_changes": {"+materialized": "view"}}}},
        },
    }
    (project / "models").mkdir(parents=True)
    for name, content in files.items():
        (project / name).write_text(json.dumps(content), encoding="utf-8")
    said = " union all ".join(
        f"select '{dialect}' as dialect, '{name}' as name,"
        f" '{{{{ dbt_bill.{dialect}__{name}({arguments}) | string | replace(\"'\", \"''\") }}}}' as said"
        for dialect in ("snowflake", "bigquery", "duckdb", "default")
        for name, arguments in DIALECTS.items()
        if (dialect, name) != ("duckdb", "instant")
    )
    (project / "models" / "dialects.sql").write_text(said, encoding="utf-8")
    return project


DIALECTS = {"column_types": "", "json_text": "'loaded.\"x\"', ['a', 'b']", "instant": "'x'"}
"""The macros that warehouses have of their own, and what they are asked here."""


def test_each_warehouse_is_addressed_in_its_own_words(built, on_duckdb):
    _, _, dbt = built
    _, rows = dbt.ask("select * from analytics.dialects")
    said = {(dialect, name): text for dialect, name, text in rows}
    json_text = {dialect: text for (dialect, name), text in said.items() if name == "json_text"}
    assert json_text == {
        "default": """loaded."x" #>> '{a,b}'""",
        "duckdb": """json_extract_string(loaded."x", '$.a.b')""",
        "snowflake": """cast(get_path(loaded."x", 'a.b') as varchar)""",
        "bigquery": """json_value(loaded."x", '$.a.b')""",
    }
    assert {dialect: text for (dialect, name), text in said.items() if name == "instant"} == {
        "default": "cast(x as timestamptz) at time zone 'utc'",
        "snowflake": "cast(convert_timezone('UTC', to_timestamp_tz(x)) as timestamp_ntz)",
        "bigquery": "cast(x as timestamp)",
    }
    types = {dialect: ast.literal_eval(text) for (dialect, name), text in said.items() if name == "column_types"}
    kinds = {kind for table in dbt_staging.schemas().items() for _, _, kind, _ in columns_of(*table)}
    for dialect, amounts in {
        "default": "numeric", "duckdb": "decimal(38, 9)", "snowflake": "number(38, 9)", "bigquery": "numeric",
    }.items():  # fmt: skip
        assert types[dialect].keys() == kinds
        assert types[dialect]["number"] == amounts


def columns_of(table, schema):
    return dbt_staging.columns(table, schema["properties"])


MARTS = sorted(
    path.stem for folder in ("marts", "controls") for path in (PROJECT / "dbt_bill" / "models" / folder).glob("*.sql")
)


@pytest.mark.parametrize("mart", [mart for mart in MARTS if mart != "bill__vendor_changes"])
def test_duckdb_says_the_same_digit_for_digit(built, on_duckdb, mart):
    database, _, dbt = built
    same_rows(database, dbt, mart, "*")


def same_rows(database, dbt, mart, listed):
    cursor = database.execute(f"select {listed} from analytics.{mart}")
    columns, rows = dbt.ask(f"select {listed} from analytics.{mart}")
    assert columns == [column.name for column in cursor.description]
    assert not any(isinstance(value, float) for row in rows for value in row)
    assert Counter(rows) == Counter(cursor.fetchall())
    assert rows


# What changes between two runs


UNWATCHED = {
    "vendors": {
        "address_country_name", "balance_amount", "balance_last_updated_date", "payment_information_last_payment_date",
        "payment_information_virtual_card_enroll_date", "payment_information_virtual_card_decline_date",
        "payment_information_payment_purpose_text", "payment_information_payment_purpose_code_name",
        "payment_information_payment_purpose_code_value", "recurring_payments", "auto_pay_created_by",
        "auto_pay_days_before_due_date", "created_time", "unknown_fields",
    },
    "vendor_bank_accounts": {"unknown_fields"},
    "bank_accounts": {"created_by", "created_time", "unknown_fields"},
}  # fmt: skip


@pytest.mark.parametrize("record", UNWATCHED)
def test_a_snapshot_keeps_all_but_what_is_of_no_consequence(built, record):
    database, _, _ = built
    columns = "select column_name from information_schema.columns where table_schema = 'analytics' and table_name = %s"
    of_model, kept = (
        {name for (name,) in database.execute(columns, [f"{kind}_bill__{record}"])} for kind in ("stg", "snap")
    )
    assert of_model - kept == UNWATCHED[record]


@pytest.fixture(scope="module")
def changed(built, on_duckdb):
    """What was done to vendors between two runs, of which the second saw them so; they are put back afterwards."""
    database, _, dbt = built
    one, two = database.execute(
        """select id, "paymentInformation" #>> '{bankAccount,accountNumber}', email, name from bill.vendors"""
        """ where "organizationId" = %s and "paymentInformation" #>> '{bankAccount,accountNumber}' is not null"""
        " and email is not null order by id limit 2",
        [SECOND],
    ).fetchall()
    (three,) = database.execute(
        'select id from bill.vendors where "organizationId" = %s and _sdc_extracted_at = %s limit 1', [FIRST, AUDITED]
    ).fetchone()
    (owner,) = database.execute('select "vendorId" from bill.vendor_bank_accounts').fetchone()
    tables = ("vendors", "vendor_bank_accounts")
    for table in tables:
        database.execute(f"create table public.{table} as table bill.{table}")
    edits = [
        f"""update bill.vendors set email = null, balance = '{{"amount": 1}}', "paymentInformation" = jsonb_set(
        "paymentInformation", '{{bankAccount,accountNumber}}', '"*****4321"') where id = '{one[0]}' and {OURS}""",
        f"update bill.vendors set name = 'Łódź & Sons' where id = '{two[0]}' and {OURS}",
        f"update bill.vendors set _sdc_extracted_at = '{BEFORE}' where id = '{three}' and not {OURS}",
        """create temp table new as table bill.vendors; update new set id = 'new'; insert into bill.vendors
        select * from new limit 1""",
        """update bill.vendor_bank_accounts set "accountNumber" = '*****2222'""",
    ]
    for edit in edits:
        database.execute(edit)
    dbt.copy(database)
    for project, options in ((dbt_runs.PACKAGE, ["--vars", VARIABLES]), (dbt.folder / "project", [])):
        options += ["--exclude", "snap_bill__bank_accounts"]
        success, _, printed = dbt.run("snapshot", *options, project=project)
        assert success, printed
    yield {
        (one[0], "vendors", "payment_information_bank_account_account_number", one[1], "*****4321", True),
        (one[0], "vendors", "email", one[2], None, False),
        (two[0], "vendors", "name", two[3], "Łódź & Sons", False),
        (three, "vendors", "is_deleted", "false", "true", False),
        ("new", "vendors", "id", None, "new", False),
        (owner, "vendor_bank_accounts", "account_number", "*****1111", "*****2222", True),
    }
    for table in tables:
        database.execute(f"truncate bill.{table}; insert into bill.{table} table public.{table}")


def test_what_changed_about_vendors_is_listed(built, changed):
    database, _, dbt = built
    found = database.execute(
        "select vendor_id, record, field, old_value, new_value, is_payment_detail from bill__vendor_changes"
    ).fetchall()
    assert len(found) == len(changed)
    assert {*found} == changed
    unclocked = "organization_id, currency, vendor_name, vendor_id, record, field, old_value, new_value, updated_time"
    same_rows(database, dbt, "bill__vendor_changes", unclocked)


# What a user may get wrong


def test_a_wrong_schema_is_said_in_one_line(built):
    database, _, dbt = built
    database.execute("alter schema bill rename to elsewhere")
    try:
        success, results, _ = dbt.run("run", "--vars", VARIABLES, "--select", "stg_bill__sync_audit", "stg_bill__roles")
    finally:
        database.execute("alter schema elsewhere rename to bill")
    assert not success
    assert results["stg_bill__roles"]["status"] == "skipped"
    assert (
        "  No table of tap-bill's is in the schema 'bill' of the database 'postgres'. Set the variable bill_schema to "
        "the schema that your loader writes to, and bill_database if it is in another database than dbt's."
    ) in results["stg_bill__sync_audit"]["message"].splitlines()


def test_one_currency_and_no_organization_are_enough(built):
    """The organization is empty where the setting `organization_id` is not set."""
    database, _, _ = built
    query = (
        "select sum(amount), sum(due_amount), count(*) from bill__bills_enhanced where organization_id = %s"
        " union all select sum(net_spend_amount), sum(paid_amount), sum(bills) from bill__vendor_spend"
        " where organization_id = %s"
    )
    with database.transaction(force_rollback=True):
        before = database.execute(query, [SECOND, SECOND]).fetchall()
        for table in ("bills", "bill_line_items", "payments", "sync_audit", "vendors", "vendor_credits"):
            database.execute(f"""update bill.{table} set "organizationId" = '' where "organizationId" = %s""", [SECOND])
        database.execute("""update bill.vendors set "billCurrency" = 'USD'""")
        database.execute("analyze")
        assert database.execute(query, ["", ""]).fetchall() == before
        assert database.execute("select distinct currency from bill__ap_aging").fetchall() == [("USD",)]
