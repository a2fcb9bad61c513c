"""What a changed record names is read again in the same run, and nothing else."""

from __future__ import annotations

import copy
import json
import random
from datetime import datetime

import adversary
import ledger
import pytest
from ledger import PAYABLE, RECEIVABLE, Books, Warehouse

import tap_bill.sync.follow
import tap_bill.tap
from tap_bill.resources import RESOURCES
from tap_bill.singer.streams import SCHEMAS

HOUR = 3600

HISTORIES = 4
"""How many random histories are tried each way."""


@pytest.fixture(autouse=True)
def _only_these(monkeypatch):
    ledger.only_these(monkeypatch)


def loaded(books):
    """A warehouse with everything, an hour ago."""
    books.tick(HOUR)
    lines, error = ledger.run(books, {})
    assert (error, books.by_id()) == (None, {})
    warehouse = Warehouse(lines)
    assert warehouse.stale(books) == {}
    books.tick(HOUR)
    return warehouse


class Unreadable(datetime):
    """A time that BILL knows and shows in a way that cannot be read."""

    def __format__(self, _):
        return "soon"


def with_debts(count, **options):
    """Books with so many bills of one vendor."""
    books = Books(**options)
    vendor = books.party(PAYABLE)
    for _ in range(count):
        books.owe(PAYABLE, vendor)
        books.tick(2)
    return books


def update(books, warehouse, **options):
    lines, error = ledger.run(books, warehouse.state, **options)
    warehouse.load(lines)
    return error


@pytest.mark.parametrize(
    ("page_size", "count", "asked"),
    [
        (100, 0, None),
        (100, 1, [1]),
        (100, 250, [100, 100, 50]),
        (7, 0, None),
        (7, 7, [7]),
        (7, 50, [7] * 7 + [1]),
    ],
)
def test_named_records_are_asked_for_by_the_page(page_size, count, asked):
    books = with_debts(max(count, 1), page_size=page_size)
    warehouse = loaded(books)
    for key in list(books.rows["bills"])[:count]:
        books.pay(PAYABLE, [key])
        books.tick(2)
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert warehouse.stale(books) == {}
    expected = {"bills": asked, "vendors": [1]} if asked else {}
    assert {name: sorted(sizes, reverse=True) for name, sizes in books.by_id().items()} == expected
    assert "follow" not in warehouse.entry("bills")
    update(books, warehouse)
    books.tick(HOUR)
    before = warehouse.received.copy()
    update(books, warehouse)
    assert (books.by_id(), len(books.asked), warehouse.received) == ({}, 8, before)


def busy(seed, *, moves_related, page_size, work):
    """Books of some size on both sides."""
    books = Books(seed, moves_related=moves_related, page_size=page_size)
    for side in ledger.SIDES:
        for _ in range(3):
            books.owe(side, books.party(side))
            books.tick()
    books.work(work)
    return books


@pytest.mark.parametrize("moves_related", [True, False])
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_whatever_people_do_nothing_goes_stale(seed, moves_related):
    """People work between runs and during them, runs are killed, and a run in peace leaves what BILL has."""
    chance = random.Random(seed)
    books = busy(seed, moves_related=moves_related, page_size=chance.choice([3, 7, 100]), work=chance.randrange(60))
    warehouse = Warehouse()
    lookback = chance.choice([0, 300])
    for _ in range(chance.randrange(2, 6)):
        books.mischief = chance.choice([0.0, 0.1, 0.4])
        lines, error = ledger.run(books, warehouse.state, lookback_seconds=lookback)
        assert error is None
        warehouse.load(lines[: chance.choice([len(lines), chance.randrange(len(lines) + 1)])])
        books.mischief = 0.0
        books.tick(chance.choice([2, HOUR]))
        books.work(chance.randrange(4))
        books.tick(HOUR)
    interrupted = any("pass" in warehouse.entry(name) for name in warehouse.state.get("bookmarks", {}))
    for _ in range(2 if interrupted else 1):  # what was edited behind an interrupted read is the next one's
        assert update(books, warehouse, lookback_seconds=lookback) is None
        books.tick(HOUR)
    assert warehouse.stale(books) == {}
    assert not any("follow" in warehouse.entry(name) for name in ledger.NAMES)


def test_a_kill_anywhere_loses_nothing():
    books = with_debts(9, page_size=4)
    start = loaded(books)
    for key in list(books.rows["bills"])[:8]:
        books.pay(PAYABLE, [key])
        books.tick(2)
    books.tick(HOUR)
    lines, _ = ledger.run(books, start.state)
    state = json.dumps(start.state)
    written = [line for line in lines if b'"RECORD"' in line and b'"stream":"bills"' in line]
    assert (len(written), any(b'"follow":' in line for line in lines)) == (8, True)
    for kept in range(0, len(lines) + 1, 3):
        books.tick(HOUR)
        warehouse = Warehouse(state=json.loads(state))
        warehouse.tables = copy.deepcopy(start.tables)
        warehouse.load(lines[:kept])
        assert update(books, warehouse) is None
        assert warehouse.stale(books) == {}, kept
        assert "follow" not in warehouse.entry("bills")


def is_schema_of(stream, line):
    message = json.loads(line)
    return (message["type"], message.get("stream")) == ("SCHEMA", stream)


def test_a_first_load_follows_only_what_changes_meanwhile():
    books = with_debts(30, page_size=7)
    for key in books.rows["bills"]:
        books.pay(PAYABLE, [key])
    books.tick(HOUR)
    lines, _ = ledger.run(books, {})
    assert books.by_id() == {}
    (after_bills,) = [place for place, line in enumerate(lines) if is_schema_of("vendor_credits", line)]
    warehouse = Warehouse(lines[:after_bills])
    books.tick(HOUR)
    books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert (warehouse.stale(books), books.by_id()) == ({}, {"bills": [2], "vendors": [1]})


def test_a_record_that_came_after_the_change_is_not_read_again():
    books = with_debts(3, moves_related=True)
    warehouse = loaded(books)
    books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert (warehouse.stale(books), books.by_id()) == ({}, {})
    books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.tick(60)  # BILL may store a change so late
    assert update(books, warehouse) is None
    assert (warehouse.stale(books), books.by_id()) == ({}, {"bills": [2], "vendors": [1]})


def test_a_whole_read_that_may_have_missed_rows_spares_no_request():
    """The next run would not read everything again, so what it missed would stay as it was."""
    books = with_debts(3)
    warehouse = loaded(books)
    books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.tick(HOUR)
    books.touch("vendors", books.party(PAYABLE), updated=Unreadable.fromisoformat(books.now.isoformat()))
    assert update(books, warehouse, full_reread_days=0.0001) is None
    assert books.by_id() == {"vendors": [1]}


def test_what_was_read_again_is_not_read_again_for_an_older_change():
    books = with_debts(2, page_size=2)
    warehouse = loaded(books)
    for keys in ([0, 1], [0], [1], [0]):
        books.pay(PAYABLE, [list(books.rows["bills"])[key] for key in keys])
        books.tick(2)
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert (warehouse.stale(books), books.by_id()) == ({}, {"bills": [2], "vendors": [1]})


def test_what_changed_nobody_knows_when_is_followed():
    books = with_debts(3)
    warehouse = loaded(books)
    payment = books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.touch("payments", payment, updated=Unreadable.fromisoformat(books.now.isoformat()))
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert books.by_id() == {"bills": [2], "vendors": [1]}


def test_what_is_read_again_never_seems_older_than_the_last_whole_read():
    """The clock of this machine may have been put back since then."""
    books = with_debts(3)
    warehouse = loaded(books)
    warehouse.entry("vendors")["audited"] = "2999-01-01T00:00:00+00:00"
    books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.tick(HOUR)
    lines, _ = ledger.run(books, warehouse.state)
    assert books.by_id() == {"bills": [2], "vendors": [1]}
    (row,) = [
        message for line in lines if (message := json.loads(line)).get("record") and message["stream"] == "vendors"
    ]
    assert row["time_extracted"] >= "2999"


def test_what_is_named_in_every_way():
    books = Books()
    party, customer = books.party(PAYABLE), books.party(RECEIVABLE)
    books.tick()
    bill, invoice = books.owe(PAYABLE, party), books.owe(RECEIVABLE, customer)
    warehouse = loaded(books)
    asked = {}
    works = {
        "bill": lambda: books.edit(PAYABLE, bill),
        "payment": lambda: books.pay(PAYABLE, [bill]),
        "credit": lambda: books.credit(PAYABLE, bill),
        "invoice": lambda: books.edit(RECEIVABLE, invoice),
        "received": lambda: books.pay(RECEIVABLE, [invoice]),
        "memo": lambda: books.credit(RECEIVABLE, invoice),
    }
    for name, work in works.items():
        work()
        books.tick(HOUR)
        assert update(books, warehouse) is None
        asked[name] = set(books.by_id())
        assert warehouse.stale(books) == {}
        books.tick(HOUR)
    assert asked == {
        "bill": {"vendors"},
        "payment": {"bills", "vendors"},
        "credit": {"bills", "vendors"},
        "invoice": {"customers"},
        "received": {"invoices", "customers"},
        "memo": {"invoices", "customers"},
    }
    credit = books.add("vendor_credits", vendorId=party, amount=10, appliedAmount=0, usage=[])
    books.tick(HOUR)
    assert update(books, warehouse) is None
    books.tick(HOUR)
    books.pay_with_credit(PAYABLE, bill)
    books.add("payments", vendorId=party, billId=bill, billPayments=[{"vendorCredits": [{"id": credit}]}])
    books.change("vendor_credits", credit, appliedAmount=10)
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert (warehouse.stale(books), books.by_id()) == ({}, {"bills": [1], "vendors": [1], "vendor_credits": [1]})


ODD = ["", "0" * 20, "a,b", 'a"b', "a:b", "00n ", None, 5, ["00n"], {"id": "00n"}]


def test_what_cannot_be_an_id_is_not_asked_for():
    books = with_debts(1)
    warehouse = loaded(books)
    (bill,) = books.rows["bills"]
    shares = [*({"billId": odd} for odd in ODD), None, "share", {}, {"billId": bill}]
    books.add("payments", vendorId=None, billPayments=shares)
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert books.by_id() == {"bills": [1]}


REFUSED = (
    "bills: BILL does not let records be read by their ids (%s), so those that other records have changed may be out "
    "of date. Set full_reread_days: the stream is then read whole every so many days."
)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (400, "HTTP 400, BDC_0000: not accepted"),
        (404, "HTTP 404, BDC_0000: not accepted"),
        (414, "HTTP 414, BDC_0000: not accepted"),
        ("ignore", "it answers other records than those that are asked for"),
    ],
)
def test_where_bill_refuses_or_ignores_the_filter_there_is_one_warning(how, why, caplog):
    books = with_debts(30, page_size=7)
    warehouse = loaded(books)
    books.refuse["bills"] = how
    for key in list(books.rows["bills"])[10:]:
        books.pay(PAYABLE, [key])
        books.tick(2)
    books.tick(HOUR)
    caplog.clear()
    assert update(books, warehouse) is None
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [REFUSED % why]
    assert books.by_id() == {"bills": [7], "vendors": [1]}
    assert "follow" not in warehouse.entry("bills")
    assert {name for name, _ in warehouse.stale(books)} == {"bills"}


def paid_but_refused(how, count=20):
    """Bills that could not be read again in a run; the books, the warehouse and how the run ended."""
    books = with_debts(count, page_size=7)
    warehouse = loaded(books)
    books.refuse["bills"] = how
    for key in books.rows["bills"]:
        books.pay(PAYABLE, [key])
        books.tick(2)
    books.tick(HOUR)
    return books, warehouse, update(books, warehouse)


def test_what_fails_is_named_at_the_end_and_read_by_the_next_run():
    books, warehouse, error = paid_but_refused(500)
    assert error.message.startswith("1 of 8 streams could not be read to the end: bills. ")
    assert books.by_id() == {"bills": [7, 7], "vendors": [1]}  # the second is the one that is repeated
    assert sorted(warehouse.entry("bills")["follow"]) == sorted(books.rows["bills"])
    assert {name for name, _ in warehouse.stale(books)} == {"bills"}
    books.refuse.clear()
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert (warehouse.stale(books), books.by_id()) == ({}, {"bills": [7, 7, 6]})
    assert "follow" not in warehouse.entry("bills")


def test_what_may_not_be_read_is_skipped_and_read_once_it_may_be(caplog):
    books, warehouse, error = paid_but_refused(403)
    assert error is None
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warning.startswith("bills: skipped, because BILL does not let this user read it (HTTP 403, BDC_1302: ")
    assert sorted(warehouse.entry("bills")["follow"]) == sorted(books.rows["bills"])
    books.refuse.clear()
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert warehouse.stale(books) == {}


def selecting(*names):
    """A catalog that selects these streams alone."""
    catalog = json.loads(json.dumps(tap_bill.tap.TapBill(config=adversary.SETTINGS).catalog_dict))
    for entry in catalog["streams"]:
        for field in entry["metadata"]:
            if field["breadcrumb"] == []:
                field["metadata"]["selected"] = entry["tap_stream_id"] in names
    return catalog


@pytest.mark.parametrize("most", [1000, 5])
def test_a_stream_that_is_left_out_for_a_while_has_missed_nothing(most, monkeypatch):
    monkeypatch.setattr(tap_bill.sync.follow, "MOST_KEPT", most)
    books = with_debts(20, page_size=7)
    warehouse = loaded(books)
    for _ in range(2):
        for key in list(books.rows["bills"])[:6]:
            books.pay(PAYABLE, [key])
            books.tick(2)
        books.tick(HOUR)
        assert update(books, warehouse, catalog=selecting("vendors", "payments")) is None
        assert books.by_id() == {"vendors": [1]}
    kept = warehouse.entry("bills")
    assert sorted(kept.get("follow", ())) == (list(books.rows["bills"])[:6] if most > 6 else [])
    assert ("replication_key_value" in kept) == (most > 6)
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert warehouse.stale(books) == {}
    assert books.by_id() == ({"bills": [6]} if most > 6 else {})


def test_a_stream_that_was_never_read_is_not_followed():
    books = with_debts(5)
    catalog = selecting("payments")
    books.tick(HOUR)
    warehouse = Warehouse()
    assert update(books, warehouse, catalog=catalog) is None
    books.tick(HOUR)
    books.pay(PAYABLE, list(books.rows["bills"]))
    books.tick(HOUR)
    assert update(books, warehouse, catalog=catalog) is None
    assert (len(books.asked), warehouse.state["bookmarks"].keys()) == (1, {"payments"})


def test_a_source_that_is_selected_later_is_followed_from_the_whole_read_on():
    books = with_debts(5)
    books.pay(PAYABLE, list(books.rows["bills"])[:1])
    books.tick(HOUR)
    bills, catalog = Warehouse(), selecting("bills")
    update(books, bills, catalog=catalog)
    assert books.by_id() == {}
    books.tick(HOUR)
    books.pay(PAYABLE, list(books.rows["bills"])[1:3])
    books.tick(HOUR)
    update(books, bills, catalog=catalog)
    assert books.by_id() == {}
    books.tick(HOUR)
    assert update(books, bills, catalog=selecting("bills", "payments")) is None
    assert books.by_id() == {"bills": [2]}
    assert {name for name, _ in bills.stale(books)} == {"vendors"}


def test_lines_alone_are_followed_too():
    books = with_debts(5)
    catalog = selecting("bill_line_items", "payments")
    books.tick(HOUR)
    warehouse = Warehouse()
    update(books, warehouse, catalog=catalog)
    before = warehouse.received.copy()
    books.tick(HOUR)
    books.pay(PAYABLE, list(books.rows["bills"])[:3])
    books.tick(HOUR)
    assert update(books, warehouse, catalog=catalog) is None
    assert warehouse.received - before == {"bill_line_items": 3, "payments": 1}


def test_a_stream_map_holds_for_what_is_read_again_and_not_for_what_names_it():
    books = with_debts(4)
    maps = {"bills": {"__filter__": "float(dueAmount) < 950"}, "payments": {"__filter__": "False"}}
    warehouse = loaded(books)
    before = warehouse.received.copy()
    first, second, *_ = books.rows["bills"]
    books.pay(PAYABLE, [first], amount=100)
    books.pay(PAYABLE, [second], amount=10)
    books.tick(HOUR)
    assert update(books, warehouse, stream_maps=maps) is None
    assert warehouse.received - before == {"bills": 1, "bill_line_items": 1, "vendors": 1}
    assert warehouse.tables["bills"][first]["dueAmount"] == 900


def test_a_record_that_is_gone_is_forgotten():
    books = with_debts(3)
    warehouse = loaded(books)
    first, *_ = books.rows["bills"]
    books.pay(PAYABLE, [first])
    del books.rows["bills"][first]
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert (books.by_id(), "follow" in warehouse.entry("bills")) == ({"bills": [1], "vendors": [1]}, False)


def test_a_source_without_a_bookmark_is_followed_once():
    """It is read whole in every run, because BILL does not filter it by time."""
    books = with_debts(5)
    books.untimed = {"payments"}
    warehouse = loaded(books)
    for _ in range(2):
        books.pay(PAYABLE, list(books.rows["bills"])[:2])
        books.tick(HOUR)
        assert update(books, warehouse) is None
        assert (warehouse.stale(books), books.by_id()) == ({}, {"bills": [2], "vendors": [1]})
    books.tick(HOUR)
    assert update(books, warehouse) is None
    assert books.by_id() == {}


def test_the_summary_counts_what_was_read_again(caplog):
    books = with_debts(3)
    warehouse = loaded(books)
    books.pay(PAYABLE, list(books.rows["bills"])[:2])
    books.tick(HOUR)
    caplog.set_level("INFO")
    update(books, warehouse)
    (summary,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Summary")]
    lines = {line.split()[0]: line.split() for line in summary.splitlines()[2:]}
    assert (lines["bills"][1:3], lines["bills"][-3:]) == (["2", "2"], ["2", "read", "again"])
    assert (lines["vendors"][1:3], lines["payments"][1:3]) == (["1", "1"], ["1", "1"])


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.touches], ids=lambda r: r.name)
def test_what_is_touched_is_read_before_and_named_in_the_schema(resource):
    names = [each.name for each in RESOURCES]
    schema = json.loads((SCHEMAS / f"{resource.name}.json").read_text(encoding="utf-8"))
    for touch in resource.touches:
        target = RESOURCES[names.index(touch.stream)]
        assert names.index(target.name) < names.index(resource.name)
        assert target.changes.name in {"DOCUMENTED", "ASSUMED"}
        for path in touch.fields:
            found = schema
            for step in path.split("."):
                found = found["properties"][step.removesuffix("[]")]
                found = found["items"] if step.endswith("[]") else found
            assert "string" in found["type"]
