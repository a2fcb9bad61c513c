"""Values arrive as BILL sent them, in every stream, with nothing dropped."""

from __future__ import annotations

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

FIXTURES = Path(__file__).parent / "fixtures"
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


def paths(resource):
    """Where a resource is read: once, or for each record of its parent's fixture."""
    parents = [record["id"] for record in records(resource.parent.stream)] if resource.parent else [""]
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
            field["metadata"]["selected"] = True
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
        own[resource.parent.column] = records(resource.parent.stream)[0]["id"]
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
        ({"address": {"zipOrPostalCode": 80202, "city": "Denver"}}, "address", "address"),
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


def test_keys_are_unique_and_complete_in_every_stream(tap):
    with Emulator(company=Company(seed=7, bills=250)) as emulator:
        run = tap({**emulator.credentials, "api_url": emulator.url})
    schemas = {message["stream"]: message for message in run.of("SCHEMA")}
    assert len(schemas) == len(run.of("SCHEMA")) == 38
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
    assert run.errors == ["roles: BILL sent a row without id, so it has no key; tell BILL's support."]


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
