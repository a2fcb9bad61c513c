"""Reading a stream whole again when its last whole read is old, and telling by `sync_audit` what was deleted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from runs import settings as accounts

from bill_emulator import Clock, Company, Emulator
from tap_bill.sync.reread import is_due

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SPEND = {"spend_users", "spend_budgets", "spend_budget_members", "spend_transactions", "spend_transaction_receipts"}
STREAMS = {"sync_audit", "vendors", "bills", "bill_line_items", "recurring_bills", "recurring_bill_line_items", *SPEND}


class Warehouse:
    """Tables as a loader keeps them: rows by their key, each with the time at which the tap wrote it."""

    def __init__(self):
        self.rows = {}
        self.keys = {}
        self.state = None

    def load(self, messages):
        for message in messages:
            stream = message.get("stream")
            if message["type"] == "SCHEMA":
                self.keys[stream] = message["key_properties"]
            elif message["type"] == "STATE":
                self.state = message["value"]
            else:
                key = tuple(message["record"][name] for name in self.keys[stream])
                time = datetime.fromisoformat(message["time_extracted"])
                self.rows.setdefault(stream, {})[key] = (message["record"], time)

    def deleted(self, stream):
        """The keys of rows that are older than the newest whole read of their table."""
        audits = (row for row, _ in self.rows.get("sync_audit", {}).values() if row["stream"] == stream)
        newest = max(
            (datetime.fromisoformat(row["startedAt"]) for row in audits), default=datetime.min.replace(tzinfo=UTC)
        )
        return {key for key, (_, time) in self.rows.get(stream, {}).items() if time < newest}

    def present(self, stream):
        return self.rows.get(stream, {}).keys() - self.deleted(stream)


@pytest.fixture
def company():
    return Company(seed=7, bills=25, clock=Clock(NOON, frozen=True))


@pytest.fixture
def audited(catalog, discovered):
    """A catalog that selects these streams and `sync_audit`."""

    def select(streams):
        chosen = catalog(streams)
        chosen["streams"] = [each for each in chosen["streams"] if each["tap_stream_id"] != "sync_audit"]
        chosen["streams"] += [each for each in discovered["streams"] if each["tap_stream_id"] == "sync_audit"]
        return chosen

    return select


@pytest.fixture
def read(tap, company, audited):
    """Read an hour after the last time."""

    def run(state=None, *, streams=STREAMS, layers=(), catalog=None, **settings):
        company.clock.advance(3600)
        with Emulator(company=company, layers=list(layers)) as emulator:
            given = {**accounts(emulator), **emulator.spend_credentials, **settings}
            return tap(given, state=state, catalog=catalog or audited(streams))

    return run


def truth(company):
    """The last part of the key of every row that BILL has, by table."""
    users, budgets = company.spend.rows("users"), company.spend.rows("budgets")
    bills = company.rows("recurring_bills")
    return {
        "vendors": {*company.ids("vendors")},
        "recurring_bills": {row["id"] for row in bills},
        "recurring_bill_line_items": {line["id"] for row in bills for line in row["recurringBillLineItems"]},
        "spend_users": {row["uuid"] for row in users},
        "spend_budgets": {row["uuid"] for row in budgets},
        "spend_budget_members": {
            (row["uuid"], member["userUuid"]) for row in budgets for member in company.spend.members(row["uuid"])
        },
        "spend_transactions": {row["uuid"] for row in company.spend.rows("transactions")},
    }


def named(stream, keys):
    return {key[1:] if stream == "spend_budget_members" else key[-1] for key in keys}


def audits(run):
    return {row["stream"]: row for row in run.records["sync_audit"]}


@pytest.mark.measured
def test_every_whole_read_leaves_a_row_for_each_table(read, company):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    first = read()
    counts = {stream: len(rows) for stream, rows in first.records.items() if stream != "sync_audit"}
    found = audits(first)
    assert {stream: row["rows"] for stream, row in found.items()} == counts
    assert set(counts) == STREAMS - {"sync_audit"}
    for stream, row in found.items():
        assert row["organizationId"] == company.organization_id
        started, completed = (datetime.fromisoformat(row[name]) for name in ("startedAt", "completedAt"))
        times = [
            datetime.fromisoformat(each["time_extracted"]) for each in first.of("RECORD") if each["stream"] == stream
        ]
        assert before <= started <= min(times) <= max(times) <= completed + timedelta(milliseconds=1)
    kinds = [each.get("stream", "STATE") for each in first.messages if each["type"] != "SCHEMA"]
    place = kinds.index("sync_audit")
    assert set(kinds[place:]) == {"sync_audit", "STATE"}  # a loader stores it after all that it tells of
    assert "audits" not in json.dumps(first.state)
    assert read(first.state).of("RECORD") == []


def test_deleted_rows_are_told_after_the_next_whole_read(read, company):
    warehouse = Warehouse()
    warehouse.load(read().messages)
    assert {stream for stream in STREAMS if warehouse.deleted(stream)} == set()
    vendor, bill = company.ids("vendors")[3], company.rows("recurring_bills")[1]
    company.remove("vendors", vendor)
    company.remove("recurring_bills", bill["id"])
    company.spend.remove("users", company.spend.ids("users")[1])
    budget = company.spend.rows("budgets")[1]
    company.spend.remove_below("members", budget["uuid"], 0)
    company.spend.edit("budgets", budget["id"], {"name": "renamed"})  # parts are asked for where their list changed
    warehouse.load(read(warehouse.state).messages)
    now = truth(company)
    for stream in now.keys() - {"vendors", "spend_transactions"}:
        assert named(stream, warehouse.present(stream)) == now[stream], stream
        assert warehouse.deleted(stream) or stream == "spend_budgets", stream
    assert not warehouse.deleted("vendors")
    again = read(warehouse.state, full_reread_days=0.01)
    assert any(line.startswith("vendors: is read from the beginning again") for line in again.log("INFO"))
    warehouse.load(again.messages)
    assert named("vendors", warehouse.deleted("vendors")) == {vendor}
    assert named("vendors", warehouse.present("vendors")) == now["vendors"]
    assert read(warehouse.state).of("RECORD") == []


@pytest.mark.parametrize("kill", [1, 5, 9])
def test_a_kill_calls_no_row_deleted_that_bill_has(read, company, kill):
    """Rows of a read that was killed have come, others not; whatever the target has, the next runs put it right."""
    warehouse = Warehouse()
    streams = {"vendors", "spend_users", "recurring_bills", "recurring_bill_line_items", "sync_audit"}
    warehouse.load(read(streams=streams).messages)
    company.remove("vendors", company.ids("vendors")[kill])
    company.spend.remove("users", company.spend.ids("users")[kill % 5])
    cut = read(warehouse.state, streams=streams, full_reread_days=0.01, page_size=5).messages
    warehouse.load(cut[: len(cut) * kill // 12])

    def check():
        now = truth(company)
        for stream in ("vendors", "spend_users", "recurring_bills", "recurring_bill_line_items"):
            assert not named(stream, warehouse.deleted(stream)) & now[stream], stream
        return now

    check()
    warehouse.load(read(warehouse.state, streams=streams, page_size=5).messages)
    check()
    warehouse.load(read(warehouse.state, streams=streams, full_reread_days=0.01).messages)
    now = check()
    for stream in ("vendors", "spend_users"):
        assert named(stream, warehouse.present(stream)) == now[stream]


@pytest.mark.measured
def test_a_list_that_moves_while_it_is_read_is_not_called_whole(read, company):
    """It comes in two answers, so it is read twice; here a user is edited before the second reading."""
    asked = 0

    def layer(application):
        async def moving(scope, receive, send):
            nonlocal asked
            if scope["path"].endswith("/spend/users"):
                asked += 1
                if asked == 3:
                    company.spend.edit("users", company.spend.ids("users")[2], {"firstName": f"Zoe {asked}"})
            await application(scope, receive, send)

        return moving

    first = read(streams={"spend_users", "sync_audit"}, layers=[layer])
    assert audits(first) == {}
    (line,) = [line for line in first.log("INFO") if "sync_audit does not say" in line]
    assert line == (
        "spend_users: rows may have moved from one page to another while it was read, "
        "so sync_audit does not say that it was read whole."
    )
    assert len(first.records["spend_users"]) == 7
    second = read(first.state, streams={"spend_users", "sync_audit"})
    assert audits(second)["spend_users"]["rows"] == 6
    assert read(second.state, streams={"spend_users", "sync_audit"}).of("RECORD") == []


@pytest.mark.measured
def test_what_limits_a_read_keeps_it_from_being_called_whole(read):
    limited = read(streams={"vendors", "roles"}, start_date="2026-06-01")
    assert set(audits(limited)) == {"roles"}
    maps = {
        "vendors": {"__filter__": "archived"},
        "bills": {"__alias__": "ap_bills"},
        "roles": {"__key_properties__": []},
    }
    mapped = read(streams={"vendors", "bills", "bill_line_items", "roles"}, stream_maps=maps)
    assert set(audits(mapped)) == {"ap_bills", "bill_line_items"}


def test_a_clock_that_was_put_back_calls_no_row_deleted(read, company):
    """The state says when the last audit began, and no row may seem to be older than that."""
    warehouse = Warehouse()
    first = read(streams={"vendors", "spend_users"})
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="milliseconds")
    ahead = first.stdout.replace(audits(first)["vendors"]["startedAt"], tomorrow)
    warehouse.load([json.loads(line) for line in ahead.splitlines()])
    for row, _ in [*warehouse.rows["vendors"].values()]:
        key = tuple(row[name] for name in warehouse.keys["vendors"])
        warehouse.rows["vendors"][key] = (row, datetime.fromisoformat(tomorrow))
    company.edit("vendors", company.ids("vendors")[2], {"email": "new@example.com"})
    gone = company.ids("vendors")[4]
    company.remove("vendors", gone)
    warehouse.load(read(warehouse.state, streams={"vendors", "spend_users"}).messages)
    assert warehouse.deleted("vendors") == set()
    warehouse.load(read(warehouse.state, streams={"vendors", "spend_users"}, full_reread_days=0.01).messages)
    assert named("vendors", warehouse.deleted("vendors")) == {gone}


# full_reread_days


def test_streams_do_not_fall_due_together_and_none_is_ever_too_old():
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    last = {f"0080{number}/bills": begun for number in range(40)}
    most, reads = 0, 0
    for hour in range(1, 24 * 70):
        now = begun + timedelta(hours=hour)
        due = [whose for whose in last if is_due(last[whose], now, 7, whose)]
        for whose in due:
            assert now - last[whose] <= timedelta(days=7, hours=1)
            last[whose] = now
        most, reads = max(most, len(due)), reads + len(due)
    assert most <= 4
    assert 380 <= reads <= 400


@pytest.mark.parametrize(("days", "wrong"), [(0, "0"), (-1, "-1"), ("soon", "'soon'")])
def test_days_that_are_none(tap, emulator, days, wrong):
    run = tap(accounts(emulator, full_reread_days=days))
    assert run.errors == [f"full_reread_days is {wrong}; allowed: a number above 0, such as 7 or 0.5"]


def test_days_from_the_environment(tap, emulator):
    run = tap(accounts(emulator), env={"TAP_BILL_FULL_REREAD_DAYS": "0.5"}, select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    wrong = tap(accounts(emulator), "--config=ENV", env={"TAP_BILL_FULL_REREAD_DAYS": "soon"}, select={"roles"})
    assert wrong.exit_code == 1
    assert "TAP_BILL_FULL_REREAD_DAYS cannot be read; allowed: a number above 0" in wrong.stderr


def test_an_old_state_counts_from_its_bookmark(read, company):
    first = read(streams={"vendors"})
    (entry,) = first.state["bookmarks"]["vendors"]["partitions"]
    del entry["whole"], entry["audited"]
    second = read(first.state, streams={"vendors"}, full_reread_days=0.01)
    assert len(second.records["vendors"]) == company.count("vendors")
    third = read(first.state, streams={"vendors"}, full_reread_days=1000)
    assert third.of("RECORD") == []


@pytest.mark.measured
def test_a_whole_read_that_is_interrupted_goes_on_and_keeps_the_bookmark(read, company):
    streams = {"vendors", "sync_audit"}
    first = read(streams=streams)
    second = read(first.state, streams=streams, full_reread_days=0.01, page_size=5)
    states = [message["value"] for message in second.of("STATE")]
    part = next(state for state in states[1:] if "pass" in state["bookmarks"]["vendors"]["partitions"][0])
    (entry,) = part["bookmarks"]["vendors"]["partitions"]
    (begun,) = first.state["bookmarks"]["vendors"]["partitions"]
    assert entry["replication_key_value"] == begun["replication_key_value"]
    third = read(part, streams=streams, page_size=5)
    assert 0 < len(third.records["vendors"]) < company.count("vendors")
    assert audits(third)["vendors"]["startedAt"] == audits(second)["vendors"]["startedAt"]
    assert audits(third)["vendors"]["rows"] >= company.count("vendors")
