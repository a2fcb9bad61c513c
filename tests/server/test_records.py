"""Values arrive as BILL sent them, in every stream, with nothing dropped."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import canned
import pytest
import runs
from canned import ORGANIZATION

from bill_emulator import Company, Emulator
from tap_bill.resources import RESOURCES, Envelope

FIXTURES = Path(__file__).parents[1] / "fixtures"
LINES = [lines.name for resource in RESOURCES for lines in resource.lines]


def fixture(stream):
    return (FIXTURES / f"{stream}.json").read_text(encoding="utf-8")


def records(stream):
    answer = json.loads(fixture(stream), parse_float=Text)
    if isinstance(answer, list):
        return answer
    lists = [value for value in answer.values() if isinstance(value, list)]
    return lists[0] if len(answer) == 1 and lists else [answer]


class Text(str):
    """A number with a fraction as its digits, so that 0.1 is not 0.10."""

    __slots__ = ()


def identifier(resource):
    return "uuid" if resource.is_spend else "id"


def paths(resource):
    """Where a resource is read: once, or for each record of its parent's fixture."""
    parents = [record[identifier(resource)] for record in records(resource.parent.stream)] if resource.parent else [""]
    return [resource.path.format(organization_id=ORGANIZATION, parent_id=id_) for id_ in parents]


@pytest.fixture(scope="module")
def read(make_httpserver, tmp_path_factory):
    """A read of every fixture: RECORD messages by stream with their digits, and the paths asked for."""
    answers = {"/v3/spend/users/current": {}}
    for resource in RESOURCES:
        empty = "[]" if resource.envelope is Envelope.ARRAY else json.dumps({resource.records: []})
        first, *others = paths(resource)
        answers |= dict.fromkeys(others, 404 if resource.envelope is Envelope.OBJECT else empty)
        if len(resource.queries) == 1:
            answers[first] = fixture(resource.name)
        else:
            size = {"max": "100"} if resource.paging else {}
            for number, query in enumerate(resource.queries):
                answers[first, urlencode(size | query)] = empty if number else fixture(resource.name)
    config = canned.serve(make_httpserver, answers) | {"spend_api_token": "token"}
    discovered = json.loads(runs.run_tap(None, "--discover", folder=tmp_path_factory.mktemp("discovery")).stdout)
    for stream in discovered["streams"]:
        for field in stream["metadata"]:
            # It would have the lists that are asked for in two parts read twice.
            field["metadata"]["selected"] = stream["tap_stream_id"] != "sync_audit"
    run = runs.run_tap(config, folder=tmp_path_factory.mktemp("fixtures"), catalog=discovered)
    assert run.exit_code == 0, run.stderr
    by_stream = {}
    for line in run.stdout.splitlines():
        message = json.loads(line, parse_float=Text)
        if message["type"] == "RECORD":
            by_stream.setdefault(message["stream"], []).append(message["record"])
    return by_stream, canned.asked(make_httpserver)


@pytest.fixture
def emitted(read):
    return read[0]


@pytest.mark.parametrize("stream", [resource.name for resource in RESOURCES])
def test_a_record_is_bills_record_and_the_organization(emitted, stream):
    resource = next(resource for resource in RESOURCES if resource.name == stream)
    own = {"organizationId": ORGANIZATION}
    if resource.parent:
        own[resource.parent.column] = records(resource.parent.stream)[0][identifier(resource)]
    rows = [own | {"position": number} | record for number, record in enumerate(records(stream), 1)]
    if "position" not in resource.key:
        rows = [{name: value for name, value in row.items() if name != "position"} for row in rows]
    assert emitted[stream] == rows


@pytest.mark.parametrize("stream", LINES)
def test_lines_come_from_the_same_answer(emitted, stream):
    assert emitted[stream] == json.loads(fixture(stream), parse_float=Text)


def test_every_stream_has_a_fixture_and_the_other_way_round():
    assert {path.stem for path in FIXTURES.glob("*.json")} == {*LINES, *(resource.name for resource in RESOURCES)}


def test_lines_cost_no_requests(read):
    _, asked = read
    resources = [path for resource in RESOURCES for path in paths(resource) for _ in resource.queries]
    assert sorted(asked) == sorted([*resources, "/v3/login", "/v3/logout", "/v3/spend/users/current"])


@pytest.mark.parametrize(
    ("change", "column", "unknown"),
    [
        ({"sustainabilityScore": {"grade": "A", "points": Decimal("7.50")}}, None, "sustainabilityScore"),
        ({"accountNumber": 4711}, "accountNumber", "accountNumber"),
        ({"billCurrency": ["USD", "EUR"]}, "billCurrency", "billCurrency"),
        ({"address": "80202 Denver"}, "address", "address"),
        ({"organizationId": "another"}, None, "organizationId"),
        ({"recurringPayments": "yes"}, "recurringPayments", "recurringPayments"),
    ],
)
def test_what_the_schema_does_not_foresee_is_kept(tap, config, company, change, column, unknown):
    vendor = {**company.rows("vendors")[0], **change}
    company.put("vendors", vendor)
    run = tap(config, select={"vendors"})
    assert run.exit_code == 0
    (row,) = [row for row in run.records["vendors"] if row["id"] == vendor["id"]]
    assert row["_unknown_fields"] == change
    assert column is None or column not in row
    assert row["organizationId"] == config["organization_id"]
    assert run.warnings == [
        (
            f"vendors: BILL sends fields that this version does not know in this form: {unknown}. "
            "Their values are kept in _unknown_fields; look for a newer tap-bill."
        )
    ]


@pytest.mark.measured
def test_of_an_object_only_the_odd_value_is_moved(tap, config, company):
    vendor = {
        **company.rows("vendors")[0],
        "address": {"zipOrPostalCode": 80202, "city": "Denver", "new": [1]},
        "paymentInformation": {
            "payeeName": "Ann",
            "virtualCard": {"status": ["A"], "remitEmail": "a@b.example"},
            "bankAccount": 7,
        },
    }
    company.put("vendors", vendor)
    run = tap(config, select={"vendors"})
    (row,) = [row for row in run.records["vendors"] if row["id"] == vendor["id"]]
    assert row["address"] == {"city": "Denver", "new": [1]}
    assert row["paymentInformation"] == {"payeeName": "Ann", "virtualCard": {"remitEmail": "a@b.example"}}
    assert row["_unknown_fields"] == {
        "address.zipOrPostalCode": 80202,
        "paymentInformation.virtualCard.status": ["A"],
        "paymentInformation.bankAccount": 7,
    }


def test_of_an_array_only_the_odd_value_is_moved(tap, config, company):
    bill = copy.deepcopy(company.rows("bills")[0])
    line = bill["billLineItems"][0]
    bill["billLineItems"] = [
        {**line, "id": "one", "amount": "much"},
        {**line, "id": "two"},
        "odd",
        {**line, "id": "three", "classifications": {**line["classifications"], "itemId": 3}},
    ]
    company.put("bills", bill)
    run = tap(config, select={"bills", "bill_line_items"})
    (row,) = [row for row in run.records["bills"] if row["id"] == bill["id"]]
    assert row["_unknown_fields"] == {
        "billLineItems[0].amount": "much",
        "billLineItems[2]": "odd",
        "billLineItems[3].classifications.itemId": 3,
    }
    one, two, nothing, three = row["billLineItems"]
    assert (one["id"], "amount" in one, one["price"]) == ("one", False, Decimal(str(line["price"])))
    assert (two["id"], two["amount"], nothing) == ("two", Decimal(str(line["amount"])), None)
    assert three["classifications"] == {k: v for k, v in line["classifications"].items() if k != "itemId"}
    lines = {row["id"]: row for row in run.records["bill_line_items"] if row["billId"] == bill["id"]}
    assert lines["one"]["_unknown_fields"] == {"amount": "much"}
    assert lines["three"]["_unknown_fields"] == {"classifications.itemId": 3}
    assert "_unknown_fields" not in lines["two"]
    assert sorted(line.split(" in this form: ")[1].split(". ")[0] for line in run.warnings) == [
        "amount",
        "billLineItems[], billLineItems[].amount, billLineItems[].classifications.itemId",
        "classifications.itemId",
    ]


def test_a_new_field_of_a_nested_object_stays_in_it(tap, config, company):
    vendor = dict(company.rows("vendors")[0])
    vendor["address"] = {**vendor.get("address", {}), "what3words": "a.b.c"}
    company.put("vendors", vendor)
    run = tap(config, select={"vendors"})
    (row,) = [row for row in run.records["vendors"] if row["id"] == vendor["id"]]
    assert row["address"] == vendor["address"]
    assert run.warnings == []


def test_a_new_field_is_named_once_however_many_rows_have_it(tap, config, company):
    for bill in company.rows("bills"):
        company.put("bills", {**bill, "riskScore": 1})
    run = tap(config, select={"bills"})
    assert len(run.warnings) == 1
    assert {row["_unknown_fields"]["riskScore"] for row in run.records["bills"]} == {1}


def test_a_new_field_of_a_line_is_kept_in_the_line_table(tap, config, company):
    bill = dict(company.rows("bills")[0])
    bill["billLineItems"] = [{**line, "taxCode": "T1"} for line in bill["billLineItems"]]
    company.put("bills", bill)
    run = tap(config, select={"bills", "bill_line_items"})
    lines = [line for line in run.records["bill_line_items"] if line["billId"] == bill["id"]]
    assert [line["_unknown_fields"] for line in lines] == [{"taxCode": "T1"}] * len(bill["billLineItems"])
    (row,) = [row for row in run.records["bills"] if row["id"] == bill["id"]]
    assert row["billLineItems"] == bill["billLineItems"]


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("2026-03-02T15:04:05.000+00:00", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T15:04:05.000+0000", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T15:04:05Z", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T10:04:05.120-05:00", "2026-03-02T15:04:05.120+00:00"),
        ("2026-03-02T15:04:05.123456+00:00", "2026-03-02T15:04:05.123456+00:00"),
        ("2026-03-02T15:04:05", "2026-03-02T15:04:05.000+00:00"),
    ],
)
def test_instants_get_one_spelling_that_compares_as_text(tap, config, company, sent, written):
    company.put("roles", {"id": "0po01TIMESPELLING0000", "createdTime": sent, "updatedTime": sent})
    run = tap(config, select={"roles"})
    (row,) = [row for row in run.records["roles"] if row["id"] == "0po01TIMESPELLING0000"]
    assert (row["createdTime"], row["updatedTime"]) == (written, written)


@pytest.mark.measured
def test_what_is_no_time_is_kept_as_unknown(tap, httpserver):
    odd = [
        1751328000000, 0.5, "yesterday", "", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-05:00", "2026-03-02",
        "0001-01-01T00:00:00+05:00", "2026-03-02T15:04:60.000+00:00", ["2026-03-02T15:04:05Z"], {"time": "now"}, True,
        "10000-01-01T00:00:00Z", "xxxxxxxxxxTxxxxxxxx.xxx+00:00",
    ]  # fmt: skip
    fine = {
        None: None,
        "0002-01-01T00:00:00+05:00": "0001-12-31T19:00:00.000+00:00",
        "9999-12-31T23:59:59Z": "9999-12-31T23:59:59.000+00:00",
    }
    rows, expected = [], []
    for name in ("createdTime", "updatedTime"):
        for value in [*odd, *fine]:
            rows.append({"id": f"r{len(rows)}", name: value})
            kept = {name: fine[value]} if value in [*fine] else {"_unknown_fields": {name: value}}
            expected.append({"organizationId": ORGANIZATION, "id": rows[-1]["id"], **kept})
    run = tap(canned.serve(httpserver, {"/v3/roles": {"results": rows}}), select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert json.loads(json.dumps(run.records["roles"], default=float)) == expected


ANY_SCHEMA = [
    ({"type": ["string", "number", "null"]}, ["a", 0.25, 5, None], [True, {}, []]),
    ({"type": ["null", "integer", "boolean"]}, [5, False, None], ["a", 1.5]),
    ({"type": ["object", "string"], "properties": {"a": {"type": "integer"}}}, [{"a": 1}, {"b": 2}, "x"], [5, None]),
    ({"type": ["string", "integer"], "format": "date-time"}, ["2026-03-02T15:04:05Z", 5], ["x"]),
    ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, ["2026-03-02", None], ["x", 5]),
    ({"oneOf": [{"type": "integer"}, {"type": "array"}]}, [5, [1, "a"]], ["x", None]),
    ({"anyOf": [True, {"type": "string"}]}, ["x", 5], []),
    ({"anyOf": [{"$ref": "#/definitions/name"}, {"type": "null"}]}, ["x", 5], []),
    ({"allOf": [{"type": "string"}]}, ["x", 5, None], []),
    ({"type": "string", "format": "uuid"}, ["x"], [5, None]),
    ({"type": ["string", "null"], "format": "singer.decimal"}, ["1.0", None], [1.5]),
    ({"type": ["string", "null"], "format": "number", "pattern": "^a", "maxLength": 1}, ["bbb"], [5]),
    ({"type": "array"}, [[], [1, "a", None]], ["x"]),
    ({"type": ["array", "null"], "items": {}}, [[1, "a"]], ["x"]),
    ({"type": ["array", "null"], "items": True}, [[1, "a"]], ["x"]),
    ({"type": ["array", "null"], "items": [{"type": "string"}]}, [[1, "a"]], ["x"]),
    ({"type": "array", "items": {"type": "integer"}}, [[1, 2]], [[1, "a"]]),
    ({"type": "object"}, [{"a": [1]}], ["x"]),
    ({"type": ["null"]}, [None], ["x"]),
    ({"type": []}, ["x", 5], []),
    ({}, ["x", 5, None, {"a": [0.25]}], []),
    (True, ["x", 5], []),
    (False, ["x", 5], []),
    ({"const": "x"}, ["x", 5], []),
    ({"enum": ["x", 1]}, ["x", "y", 5], []),
    ({"$ref": "#/definitions/name"}, ["x", 5], []),
    ({"not": {"type": "string"}}, ["x", 5], []),
]
"""Schemas of a column, values that fit, values that do not. What is not looked at is let through."""


@pytest.mark.measured
@pytest.mark.parametrize("flattened", [False, True])
def test_a_catalog_may_hold_any_schema(tap, httpserver, catalog, flattened):
    own = catalog({"roles"})
    (entry,) = [entry for entry in own["streams"] if entry["tap_stream_id"] == "roles"]
    rows, expected = [], []
    for number, (spec, fitting, odd) in enumerate(ANY_SCHEMA):
        column = f"column{number}"
        entry["schema"]["properties"][column] = spec
        for value in [*fitting, *odd]:
            rows.append({"id": f"r{len(rows)}", column: value})
            kept = {column: value} if value in fitting and value is not True else {"_unknown_fields": {column: value}}
            expected.append({"organizationId": ORGANIZATION, "id": rows[-1]["id"], **kept})
    config = canned.serve(httpserver, {"/v3/roles": {"results": rows}})
    run = tap(config | ({"flattening_enabled": True} if flattened else {}), catalog=own)
    assert (run.exit_code, run.errors) == (0, [])
    written = json.loads(json.dumps(run.records["roles"], default=float))
    if flattened:
        assert [row["id"] for row in written] == [row["id"] for row in expected]
    else:
        assert written == expected


@pytest.mark.measured
@pytest.mark.parametrize("schema", [{}, True, None])
def test_a_catalog_may_leave_a_schema_out(tap, httpserver, catalog, schema):
    row = {"id": "r1", "description": ["x"], "new": 5, "createdTime": "2026-03-02T15:04:05Z"}
    config = canned.serve(httpserver, {"/v3/roles": {"results": [row]}})
    own = catalog({"roles"})
    (entry,) = [entry for entry in own["streams"] if entry["tap_stream_id"] == "roles"]
    entry["schema"] = schema
    run = tap(config, catalog=own)
    assert (run.exit_code, run.errors) == (0, [])
    assert run.records["roles"] == [
        {"organizationId": ORGANIZATION, **row, "createdTime": "2026-03-02T15:04:05.000+00:00"}
    ]


@pytest.mark.measured
@pytest.mark.parametrize("wrong", [{}, {"streams": [5]}, {"streams": [{"tap_stream_id": "x", "metadata": 5}]}])
def test_a_catalog_that_is_none_is_told_in_one_line(tap, config, emulator, wrong):
    run = tap(config, catalog=wrong)
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith("The catalog cannot be read (")
    assert line.endswith("; make a new one with tap-bill --discover.")
    assert "Traceback" not in run.stderr
    assert emulator.requests == []


def test_keys_are_unique_and_complete_in_every_stream(tap):
    with Emulator(company=Company(seed=7, bills=250)) as emulator:
        run = tap({**emulator.credentials, "api_url": emulator.url})
    schemas = {message["stream"]: message for message in run.of("SCHEMA")}
    assert len(schemas) == len(run.of("SCHEMA")) == 41
    for stream, schema in schemas.items():
        keys = [tuple(row[key] for key in schema["key_properties"]) for row in run.records[stream]]
        assert len(keys) > 1 or stream == "organization", stream
        assert len(set(keys)) == len(keys), stream
        assert None not in {part for key in keys for part in key}, stream


def test_lines_of_the_present_are_those_with_the_parents_time(tap, config, company):
    before = tap(config, select={"bills", "bill_approvers"})
    bill = next(row for row in company.rows("bills") if len(row.get("approvers", ())) > 1)
    edited = company.edit("bills", bill["id"], {"approvers": bill["approvers"][:1]})
    after = tap(config, select={"bills", "bill_approvers"}, state=before.state)
    table = {
        (line["billId"], line["position"]): line
        for run in (before, after)
        for line in run.records["bill_approvers"]
        if line["billId"] == bill["id"]
    }
    present = [line for line in table.values() if line["parentUpdatedTime"] == edited["updatedTime"]]
    assert len(table) == len(bill["approvers"])
    assert [line["userId"] for line in present] == [bill["approvers"][0]["userId"]]


def test_a_line_without_an_id_is_kept_under_its_position(tap, config, company):
    bill = dict(company.rows("bills")[0])
    for line in bill["billLineItems"]:
        del line["id"]
    company.put("bills", bill)
    run = tap(config, select={"bill_line_items"})
    lines = [line for line in run.records["bill_line_items"] if line["billId"] == bill["id"]]
    assert [line["id"] for line in lines] == [f"position-{number}" for number in range(1, len(lines) + 1)]
    assert len(lines) == len(bill["billLineItems"])


def test_a_record_without_an_id_stops_the_run(tap, httpserver):
    config = canned.serve(httpserver, {"/v3/roles": {"results": [{"type": "AUDITOR"}]}})
    run = tap(config, select={"roles"})
    assert run.exit_code == 1
    assert run.errors == ["roles: BILL sent a row without id, so it has no key; contact BILL's support."]


def test_deselecting_a_field_of_a_line_leaves_the_parent_whole(tap, config, company, catalog):
    narrowed = catalog({"bills", "bill_line_items"})
    for stream in narrowed["streams"]:
        for field in stream["metadata"]:
            if stream["tap_stream_id"] == "bill_line_items" and field["breadcrumb"][-1:] == ["chartOfAccountId"]:
                field["metadata"]["selected"] = False
    run = tap(config, catalog=narrowed)
    sent = {row["id"]: row for row in company.rows("bills")}
    assert any(
        "chartOfAccountId" in line["classifications"] for bill in sent.values() for line in bill["billLineItems"]
    )
    assert all("chartOfAccountId" not in line.get("classifications", {}) for line in run.records["bill_line_items"])
    for row in run.records["bills"]:
        assert row["billLineItems"] == sent[row["id"]]["billLineItems"]


@pytest.mark.parametrize("stream", ["bill_line_items", "spend_transaction_reviewers"])
def test_single_columns_of_a_line_table_come_with_what_its_rows_are_told_apart_by(
    tap, config, catalog, emulator, stream
):
    narrowed = catalog({stream})
    for entry in narrowed["streams"]:
        for field in entry["metadata"]:
            if field["breadcrumb"]:
                field["metadata"] |= {"selected": field["breadcrumb"][-1] == "amount", "inclusion": "available"}
    run = tap(config | emulator.spend_credentials, catalog=narrowed)
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    columns = {
        "bill_line_items": {"organizationId", "billId", "id", "amount", "parentUpdatedTime"},
        "spend_transaction_reviewers": {"organizationId", "transactionUuid", "position", "parentUpdatedTime"},
    }[stream]
    assert run.records[stream]
    assert all(row.keys() == columns for row in run.records[stream])
    (schema,) = run.of("SCHEMA")
    assert schema["schema"]["properties"].keys() == columns
