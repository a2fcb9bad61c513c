"""Stream maps and flattening work as the SDK documents them, on every kind of table and over rows that lack fields."""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from runs import settings

from bill_emulator import Company, Emulator

SCHEMAS = Path(__file__).parents[2] / "schemas"
NONE = "__NULL__"


def columns(stream):
    return json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))["properties"]


def filled(company, stream, row=None):
    """A row with every column of its table, as a stream map is given it."""
    own = {"organizationId": company.organization_id}
    return {**dict.fromkeys(columns(stream)), **own, **(row or {})}


def without(row, *names):
    return {name: value for name, value in row.items() if name not in names}


def exact(value):
    """The value as the run shows it: BILL's amounts are numbers with their digits."""
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return value if isinstance(value, str | int | None) else Decimal(str(value))


def by_id(rows):
    return {row["id"]: row for row in rows}


def schemas(run):
    return {message["stream"]: message for message in run.of("SCHEMA")}


def paths(emulator):
    return Counter(request.path.removeprefix("/connect/v3/") for request in emulator.requests)


def lines_of(parents, array):
    return [(parent["id"], line) for parent in parents for line in parent.get(array, ())]


# What is removed


def removing(removed):
    """A column, a parent, a line table, a part table and a plain stream removed; the rest of the family wanted."""
    return {
        "vendors": {"email": removed, "phone": removed},
        "bills": removed,
        "bill_approvers": removed,
        "vendor_audit_trail": removed,
        "customers": removed,
    }


FAMILY = {
    "vendors", "vendor_attachments", "vendor_audit_trail", "bills", "bill_line_items", "bill_approvers", "customers",
    "roles",
}  # fmt: skip


@pytest.mark.measured
@pytest.mark.parametrize("way", ["file", "text", "environment", "organizations"])
def test_what_a_map_removes_is_not_sent(tap, company, emulator, way):
    maps = removing(NONE if way == "text" else None)
    config, more = settings(emulator, stream_maps=maps), {}
    if way == "environment":
        config = settings(emulator)
        more = {"env": {"TAP_BILL_STREAM_MAPS": json.dumps(maps)}}
    if way == "organizations":
        config["organizations"] = [{"organization_id": config.pop("organization_id")}]
    run = tap(config, *(["--config", "ENV"] if more else []), select=FAMILY, **more)
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert {*schemas(run)} == {*run.records} == {"vendors", "vendor_attachments", "bill_line_items", "roles"}
    assert schemas(run)["vendors"]["schema"]["properties"].keys() == columns("vendors").keys() - {"email", "phone"}
    assert any("email" in row for row in company.rows("vendors"))
    assert by_id(run.records["vendors"]) == {
        row["id"]: exact(without(filled(company, "vendors", row), "email", "phone")) for row in company.rows("vendors")
    }
    assert Counter((line["billId"], line["amount"]) for line in run.records["bill_line_items"]) == Counter(
        (id_, exact(line["amount"])) for id_, line in lines_of(company.rows("bills"), "billLineItems")
    )
    assert len(run.records["vendor_attachments"]) == sum(
        len(company.parts("vendor_attachments", id_)) for id_ in company.ids("vendors")
    )
    asked = paths(emulator)
    assert asked["customers"] == 0, "what is removed is not asked for"
    assert not any("audit" in path for path in asked)


def test_all_that_is_not_named_is_removed_in_every_organization(tap):
    several = [Company(seed=n, bills=25, organization_id=f"00802ORGANIZATION{n:03}") for n in range(3)]
    with Emulator(companies=several) as emulator:
        config = settings(emulator, stream_maps={"vendors": {}, "__else__": None}, max_organizations_in_parallel=1)
        del config["organization_id"]
        config["organizations"] = [{"organization_id": company.organization_id} for company in several]
        run = tap(config)
        assert paths(emulator) == {"login": 3, "vendors": 3, "logout": 3}
    assert (run.exit_code, run.errors) == (0, [])
    assert {*run.records} == {*schemas(run)} == {"vendors"}
    assert len(run.records["vendors"]) == sum(company.count("vendors") for company in several)


def test_what_is_brought_back_gets_its_whole_history(tap, company, emulator):
    first = tap(settings(emulator, stream_maps=removing(None)), select=FAMILY)
    second = tap(settings(emulator), select=FAMILY, state=first.state)
    assert (second.exit_code, second.errors) == (0, [])
    for stream in ("vendors", "bills", "customers"):
        assert {row["id"] for row in second.records[stream]} == {*company.ids(stream)}, stream
    assert Counter((row["billId"], row["userId"]) for row in second.records["bill_approvers"]) == Counter(
        (id_, line["userId"]) for id_, line in lines_of(company.rows("bills"), "approvers")
    )
    trail = {id_: len(company.parts("vendor_audit_trail", id_)) for id_ in company.ids("vendors")}
    assert Counter(row["vendorId"] for row in second.records["vendor_audit_trail"]) == trail
    third = tap(settings(emulator), select=FAMILY, state=second.state)
    for stream in ("vendors", "bills", "customers"):
        assert len(third.records[stream]) < 3, stream


@pytest.mark.parametrize("table", ["bill_approvers", "vendor_audit_trail", "bills"])
def test_a_table_that_a_map_removes_is_not_covered(tap, company, emulator, table):
    """One at a time, so that no other table makes up for it."""
    family = {"bills", "bill_line_items", "bill_approvers"} if "bill" in table else {"vendors", "vendor_audit_trail"}
    first = tap(settings(emulator, stream_maps={table: NONE}), select=family)
    assert table not in first.records
    second = tap(settings(emulator), select=family, state=first.state)
    whole = {
        "bill_approvers": len(lines_of(company.rows("bills"), "approvers")),
        "vendor_audit_trail": sum(len(company.parts("vendor_audit_trail", id_)) for id_ in company.ids("vendors")),
        "bills": company.count("bills"),
    }
    assert len(second.records[table]) == whole[table]


@pytest.mark.measured
def test_nothing_is_left_to_read(tap, emulator):
    run = tap(settings(emulator, stream_maps={"__else__": None}), select={"vendors"})
    assert run.exit_code == 1
    assert run.stdout == ""
    (line,) = run.errors
    assert line.startswith("No stream is selected that can be read.")
    assert emulator.requests == []


# What is made


@pytest.mark.measured
def test_columns_are_renamed_hashed_and_computed(tap, company, emulator):
    maps = {
        "vendors": {
            "mail": "email",
            "email_hash": "md5(config['salt'] + email) if email else None",
            "shortName": "self or '-'",
            "town": "address['city'] if address else None",
            "email": None,
            "unknown": "_unknown_fields",
            "__alias__": "suppliers",
            "__key_properties__": ["id"],
        },
        "vendor_contacts": {
            "__source__": "vendors",
            "__else__": None,
            "__key_properties__": ["id"],
            "id": "id",
            "phone": "phone",
        },
        "customers": {"__filter__": "not archived and (phone is None or phone[:3] != '303')"},
        "bills": {"__filter__": "description is None"},
        "bill_line_items": {"twice": "amount * 2", "about": "float(amount)", "quantity": None},
        "vendor_attachments": {"name_hash": "sha256(name)", "name": NONE, "downloadLink": NONE},
        "invoices": {"__else__": NONE, "organizationId": "organizationId", "id": "id", "amount": "totalAmount"},
    }
    config = settings(emulator, stream_maps=maps, stream_map_config={"salt": "  pepper "}, page_size=10)
    chosen = {"vendors", "customers", "bills", "bill_line_items", "vendor_attachments", "invoices", "roles"}
    run = tap(config, select=chosen)
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert {*run.records} == {
        "suppliers", "vendor_contacts", "customers", "bills", "bill_line_items", "vendor_attachments", "invoices",
        "roles",
    }  # fmt: skip

    vendors = company.rows("vendors")
    assert {row.get("email") is None for row in vendors} == {True, False}
    assert schemas(run)["suppliers"]["key_properties"] == ["id"]
    assert by_id(run.records["suppliers"]) == {
        row["id"]: {
            **exact(without(filled(company, "vendors", row), "email")),
            "mail": row.get("email"),
            "email_hash": hashlib.md5(f"  pepper {row['email']}".encode()).hexdigest() if "email" in row else None,
            "shortName": row.get("shortName") or "-",
            "town": row["address"]["city"],
            "unknown": None,
        }
        for row in vendors
    }
    assert by_id(run.records["vendor_contacts"]) == {
        row["id"]: {"id": row["id"], "phone": row.get("phone")} for row in vendors
    }

    customers = [
        row for row in company.rows("customers") if not row["archived"] and (row.get("phone") or "x")[:3] != "303"
    ]
    assert 0 < len(customers) < company.count("customers")
    assert by_id(run.records["customers"]) == {row["id"]: exact(filled(company, "customers", row)) for row in customers}

    bills = [row for row in company.rows("bills") if "description" not in row]
    assert 0 < len(bills) < company.count("bills")
    assert {row["id"] for row in run.records["bills"]} == {row["id"] for row in bills}
    lines = {line["id"]: line for _, line in lines_of(bills, "billLineItems")}
    assert {row["id"]: (row["twice"], row["about"]) for row in run.records["bill_line_items"]} == {
        id_: (exact(line["amount"]) * 2, Decimal(str(float(line["amount"])))) for id_, line in lines.items()
    }
    assert not any("quantity" in row for row in run.records["bill_line_items"])

    attached = [part for id_ in company.ids("vendors") for part in company.parts("vendor_attachments", id_)]
    assert {row["id"]: row["name_hash"] for row in run.records["vendor_attachments"]} == {
        part["id"]: hashlib.sha256(part["name"].encode()).hexdigest() for part in attached
    }
    assert not any({"name", "downloadLink"} & row.keys() for row in run.records["vendor_attachments"])
    assert by_id(run.records["invoices"]) == {
        row["id"]: {
            "organizationId": company.organization_id,
            "id": row["id"],
            "amount": exact(row["totalAmount"]),
        }
        for row in company.rows("invoices")
    }
    assert by_id(run.records["roles"]) == {
        row["id"]: {"organizationId": company.organization_id, **row} for row in company.rows("roles")
    }, "a stream without a map is left as it was"


def test_a_map_for_a_stream_that_is_not_selected_does_not_matter(tap, company, emulator, catalog):
    maps = {"vendors": {"mail": "email", "__key_properties__": ["id"]}, "bills": {"x": "amount"}}
    run = tap(settings(emulator, stream_maps=maps), select={"bill_line_items"})
    assert (run.exit_code, run.errors) == (0, [])
    short = catalog({"bill_line_items"})
    short["streams"] = [entry for entry in short["streams"] if entry["tap_stream_id"] == "bill_line_items"]
    alone = tap(settings(emulator, stream_maps=maps), catalog=short)
    assert (alone.exit_code, alone.errors) == (0, [])
    lines = [line["id"] for _, line in lines_of(company.rows("bills"), "billLineItems")]
    for each in (run, alone):
        assert Counter(row["id"] for row in each.records["bill_line_items"]) == Counter(lines)


# Flattening


def flat(value, names, depth, prefix=""):
    """What a record looks like flattened, by the names that its schema gives nested objects."""
    row = {}
    for name, spec in names.items():
        item = value.get(name) if value else None
        if spec.get("properties") and depth:
            row |= flat(item, spec["properties"], depth - 1, f"{prefix}{name}__")
        elif isinstance(item, dict | list):
            row[prefix + name] = ("JSON", exact(item))
        else:
            row[prefix + name] = exact(item)
    return row


def read_back(row):
    """A flattened row with the JSON in it read."""
    texts = {name: value for name, value in row.items() if isinstance(value, str) and value[:1] in ("{", "[")}
    return row | {name: ("JSON", json.loads(text, parse_float=Decimal)) for name, text in texts.items()}


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_nested_objects_become_columns(tap, company, emulator, depth):
    bare = dict(company.rows("vendors")[1])
    del bare["address"], bare["paymentInformation"], bare["balance"]
    company.put("vendors", bare)
    config = settings(emulator, flattening_enabled=True, stream_maps={"customers": {"town": "billingAddress['city']"}})
    if depth:
        config["flattening_max_depth"] = depth
    run = tap(config, select={"vendors", "customers", "bills", "bill_line_items", "vendor_bank_accounts"})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    for stream in ("vendors", "customers", "bills"):
        rows = [{"organizationId": company.organization_id, **row} for row in company.rows(stream)]
        towns = {row["id"]: {"town": row["billingAddress"]["city"]} for row in rows if stream == "customers"}
        assert {row["id"]: read_back(row) for row in run.records[stream]} == {
            row["id"]: flat(row, columns(stream), depth or 9) | towns.get(row["id"], {}) for row in rows
        }, stream
        named = schemas(run)[stream]["schema"]["properties"].keys()
        assert all(row.keys() == named for row in run.records[stream]), stream
    assert ("address__city" in run.records["vendors"][0]) == (
        "classifications__itemId" in run.records["bill_line_items"][0]
    )
    assert ("paymentInformation__paymentPurpose__code__name" in run.records["vendors"][0]) == (depth is None)
    lines = {line["id"]: line for _, line in lines_of(company.rows("bills"), "billLineItems")}
    assert {row["id"]: row["classifications__itemId"] for row in run.records["bill_line_items"]} == {
        id_: line.get("classifications", {}).get("itemId") for id_, line in lines.items()
    }


def test_amounts_inside_flattened_arrays_keep_their_digits(tap, company, emulator):
    run = tap(settings(emulator, flattening_enabled=True), select={"bills"})
    sent = {row["id"]: [str(line["amount"]) for line in row["billLineItems"]] for row in company.rows("bills")}
    for row in run.records["bills"]:
        lines = json.loads(row["billLineItems"], parse_float=str, parse_int=str)
        assert [line["amount"] for line in lines] == sent[row["id"]]


@pytest.mark.measured
def test_a_new_nested_field_is_kept_where_objects_become_columns(tap, company, emulator):
    vendor = copy.deepcopy(company.rows("vendors")[0])
    vendor["address"]["what3words"] = "a.b.c"
    company.put("vendors", vendor)
    run = tap(settings(emulator, flattening_enabled=True), select={"vendors"})
    row = by_id(run.records["vendors"])[vendor["id"]]
    assert json.loads(row["_unknown_fields"]) == {"address.what3words": "a.b.c"}
    assert row["address__city"] == vendor["address"]["city"]
    assert "address__what3words" not in row


# What cannot work


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize(
    ("maps", "line"),
    [
        ({"vendors": {"x": "nonsense("}}, "stream_maps is not valid: Failed to parse expression nonsense(."),
        (
            {"vendors": {"x": "md5(emial)"}},
            "stream_maps: x of vendors is md5(emial), but there is no selected column and no function emial",
        ),
        (
            {"vendors": {"__filter__": "shout(name)"}},
            "stream_maps: __filter__ of vendors is shout(name), but there is no selected column and no function shout",
        ),
        (
            {"ven*": {"x": "self"}},
            "stream_maps: x of vendors is self, but there is no selected column and no function self",
        ),
        ({"vendors": {"x": "y = 1"}}, "stream_maps: x of vendors is y = 1, which is not an expression"),
        (
            {"vendors": {"x": 5}},
            (
                "stream_maps.vendors is not valid; allowed: for each stream null, or an object with "
                "an expression or null for each column; see https://sdk.meltano.com/en/latest/stream_maps.html"
            ),
        ),
        (
            {"vendors": {"id": None}},
            "stream_maps is not valid: Removing key property 'id' is not permitted in 'vendors'",
        ),
        ({"__all__": None}, "stream_maps is not valid: Option '__all__:None' is not expected."),
    ],
)
def test_a_mistake_in_a_map_is_told_before_anything_is_sent(tap, emulator, maps, line):
    run = tap(settings(emulator, stream_maps=maps), select={"vendors"})
    assert run.exit_code == 1
    (told,) = run.errors
    assert told.startswith(line)
    assert "Traceback" not in run.stderr
    assert (run.stdout, emulator.requests) == ("", [])


@pytest.mark.measured
@pytest.mark.parametrize(
    ("stream", "column", "expression", "why"),
    [
        ("vendors", "email_hash", "md5(email)", "AttributeError"),
        ("vendors", "x", "1 / (len_ - len_)", "ZeroDivisionError"),
        ("vendors", "__filter__", "name > 5", "TypeError"),
        ("bill_line_items", "x", "int(classifications['nothing'])", "KeyError"),
        ("bill_line_items", "x", "amount * 1.5", "TypeError"),
        ("vendor_attachments", "x", "float(name)", "ValueError"),
        ("vendors", "x", "config['salt'].nothing", "AttributeDoesNotExist"),
    ],
)
def test_an_expression_that_fails_is_told_in_one_line(tap, company, emulator, stream, column, expression, why):
    expression = expression.replace("len_", "int(archived)")
    config = settings(
        emulator, stream_maps={stream: {column: expression}}, stream_map_config={"salt": "p3pper"}, page_size=100
    )
    run = tap(config, select={"vendors", "vendor_attachments", "bills", "bill_line_items"})
    assert run.exit_code == 1
    told = [line for line in run.errors if expression in line]
    assert told == [
        (
            f"{stream}: its stream map makes {column} of {expression}, which failed for a row ({why}). "
            "A field that BILL leaves out is null there, and an amount is an exact Decimal: "
            "write for instance md5(email) if email else None, or float(amount) * 1.5."
        )
    ]
    assert "Traceback" not in run.stderr
    assert "p3pper" not in run.stderr
    assert not any(row["name"] in run.stderr for row in company.rows("vendors"))
