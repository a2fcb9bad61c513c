"""What people do to a list while somebody reads it."""

from __future__ import annotations

import pytest
from emulator_client import Client, code_of

from bill_emulator import PARTS, Company, Emulator

NOW = "2026-07-01T12:30:15.000+00:00"


def parent_of(company, name, rows):
    """A record that has so many of these parts, and the path of its list."""
    part = PARTS[name]
    parent = next(id_ for id_ in company.ids(part.parent) if len(company.parts(name, id_)) == rows)
    return parent, part.path.replace("{id}", parent)


# Deletions


def test_rows_are_deleted_for_good_after_every_so_many_answers(serve):
    emulator, client = serve(bills=40, delete_every=2, delete_rows=3)
    before = emulator.company.ids("bills")
    counts = []
    for _ in range(5):
        client.ok("/bills", max=5)
        counts.append((emulator.counters.deletes, emulator.company.count("bills")))
    assert counts == [(0, 40), (3, 37), (3, 37), (6, 34), (6, 34)]
    left = emulator.company.ids("bills")
    assert set(left) < set(before)
    gone = min(set(before) - set(left))
    assert client.get(f"/bills/{gone}").status_code == 404
    assert emulator.company.count("vendors") == Company(seed=7, bills=40).count("vendors")
    assert (emulator.counters.edits, emulator.counters.adds) == (0, 0)


def test_a_reader_with_offset_cursors_misses_rows_that_move_up(serve):
    emulator, client = serve(bills=200, delete_every=1, delete_rows=2)
    read = client.ids("/bills", max=10, sort="createdTime:asc")
    assert set(emulator.company.ids("bills")) - set(read) != set()


def test_deletions_end_with_an_empty_list(serve):
    emulator, client = serve(bills=20, delete_every=1, delete_rows=50)
    client.ok("/bills")
    assert client.ok("/bills") == {"results": []}
    assert emulator.counters.deletes == 20


def test_what_is_deleted_follows_from_the_seed(serve):
    left = []
    for _ in range(2):
        emulator, client = serve(bills=40, delete_every=1)
        for _ in range(5):
            client.ok("/bills", max=5)
        left.append(emulator.company.ids("bills"))
    assert left[0] == left[1]
    assert len(left[0]) == 35


def test_spend_rows_are_deleted_edited_and_added(serve):
    emulator, client = serve(bills=20, edit_every=1, edit_rows=2, delete_every=2, delete_rows=1)
    books = emulator.company.spend
    before = {row["id"]: row for row in books.rows("transactions")}
    client.spend("transactions", max=5)
    changed = {row["id"] for row in books.rows("transactions") if row != before[row["id"]]}
    assert len(changed) == 2
    assert {row["updatedTime"] for row in books.rows("transactions") if row["id"] in changed} == {NOW}
    client.spend("transactions", max=5)
    counters = emulator.counters
    assert (counters.edits, counters.adds, counters.deletes, len(books.ids("transactions"))) == (4, 1, 1, 40)
    client.spend("cards")
    client.spend("cards")
    assert (counters.edits, counters.adds, counters.deletes, len(books.ids("cards"))) == (8, 1, 2, 6)


@pytest.mark.parametrize("table", ["transactions", "reimbursements", "cards", "budgets", "users", "custom-fields"])
def test_a_spend_row_is_deleted_for_good_in_python(serve, table):
    emulator, client = serve(bills=20)
    gone, *left = emulator.company.spend.ids(table)
    emulator.company.spend.remove(table, gone)
    listed = {id_ for retired in ("true", "false") for id_ in client.spend_ids(table, filters=f"retired:eq:{retired}")}
    assert listed == {*left}
    with pytest.raises(KeyError):
        emulator.company.spend.remove(table, gone)


def test_a_vendor_is_deleted_for_good_in_python(serve):
    emulator, client = serve(bills=20)
    gone, *left = emulator.company.ids("vendors")
    emulator.company.remove("vendors", gone)
    assert client.ids("/vendors") == left
    assert code_of(client.get(f"/vendors/{gone}")) == (404, "BDC_1205")


def test_a_deletion_makes_no_room_for_a_used_id(serve):
    emulator, _ = serve(bills=20)
    books = emulator.company.spend
    before = books.ids("transactions")
    books.remove("transactions", before[0])
    added = [books.add_transaction()["id"] for _ in range(2)]
    assert books.ids("transactions") == [*before[1:], *added]
    assert len({*before, *added}) == len(before) + 2


def test_parts_and_members_are_deleted_from_the_parent_just_read(serve):
    emulator, client = serve(bills=40, delete_every=1)
    company = emulator.company
    vendor, path = parent_of(company, "vendor_attachments", 3)
    other, _ = parent_of(company, "customer_attachments", 3)
    whole = company.parts("vendor_attachments", vendor)
    assert [len(client.ok(path)["results"]) for _ in range(5)] == [3, 2, 1, 0, 0]
    assert len(whole) == 3
    assert len(company.parts("customer_attachments", other)) == 3
    budget = company.spend.ids("budgets")[2]
    assert [len(client.spend(f"budgets/{budget}/members")["results"]) for _ in range(5)] == [2, 1, 0, 0, 0]
    field = company.spend.ids("custom-fields")[0]
    assert [len(client.spend(f"custom-fields/{field}/values")["results"]) for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    assert emulator.counters.deletes == 10


def test_reading_spend_and_parts_leaves_the_work_on_other_lists_as_it_is(serve):
    def history(*, mixed):
        emulator, client = serve(bills=40, edit_every=2, delete_every=3)
        _, path = parent_of(emulator.company, "vendor_attachments", 2)
        for _ in range(6):
            client.ok("/bills", max=3)
            if mixed:
                client.spend("transactions")
                client.ok(path)
        return [(row["id"], row["updatedTime"]) for row in emulator.company.rows("bills")]

    assert history(mixed=True) == history(mixed=False)


def test_a_part_can_be_added_and_removed_in_python(serve):
    emulator, client = serve(bills=20)
    company = emulator.company
    vendor, path = parent_of(company, "vendor_attachments", 2)
    first, second = company.parts("vendor_attachments", vendor)
    company.add_part("vendor_attachments", vendor, {"id": "att02NEW", "name": "new.pdf"})
    company.remove_part("vendor_attachments", vendor, 0)
    assert client.ok(path) == {"results": [second, {"id": "att02NEW", "name": "new.pdf"}]}
    assert first != second
    with pytest.raises(IndexError):
        company.remove_part("vendor_attachments", vendor, 2)


# Anything else


def test_a_callable_is_called_between_any_two_answers_of_a_list(serve):
    calls = []

    def between(name, company):
        calls.append((name, company))
        if name == "bills":
            company.remove("bills", company.ids("bills")[0])

    emulator, client = serve(bills=20, between=between)
    ids = emulator.company.ids("bills")
    read = client.ids("/bills", max=5)
    # The first of the list goes after each page, so that the next row moves up into the part already read.
    assert read == [*ids[:5], *ids[6:11], *ids[12:17], *ids[18:20]]
    assert calls == [("bills", emulator.company)] * 4
    calls.clear()
    _, path = parent_of(emulator.company, "vendor_attachments", 2)
    audit, budget = emulator.company.ids("vendors")[0], emulator.company.spend.ids("budgets")[0]
    client.ok(path)
    client.ok(f"/reports/audit-trail/vendor/{audit}")
    client.ok("/funding-accounts/cards/users")
    for name in ("transactions", "custom-fields", "users", f"budgets/{budget}/members"):
        client.spend(name)
    assert [name for name, _ in calls] == [
        "vendor_attachments",
        "vendor_audit_trail",
        "card_account_users",
        "spend_transactions",
        "spend_custom_fields",
        "spend_users",
        "spend_members",
    ]


def test_a_callable_sees_the_page_before_it_is_read_and_cannot_change_it(serve):
    emulator, client = serve(bills=20, between=lambda name, company: company.edit(name, company.ids(name)[0], {"x": 1}))
    first = emulator.company.ids("bills")[0]
    assert "x" not in client.ok("/bills")["results"][0]
    assert client.ok("/bills")["results"][0] == emulator.company.row("bills", first)
    assert emulator.company.row("bills", first)["x"] == 1


@pytest.mark.parametrize("path", ["/bills?max=0", "/bills/x", "/organizations/00802DEMO0COMPANY001", "/login/session"])
def test_a_callable_is_called_only_after_a_list_answer(serve, path):
    calls = []
    _, client = serve(bills=20, between=lambda *call: calls.append(call))
    client.get(path)
    assert calls == []


def test_a_callable_is_called_for_the_organization_that_was_read():
    calls = []
    companies = [Company(bills=5), Company(seed=8, bills=5, organization_id="00802OTHER0COMPANY01")]
    with Emulator(companies=companies, between=lambda *call: calls.append(call)) as emulator:
        client = Client(emulator)
        body = client.credentials(organizationId="00802OTHER0COMPANY01")
        session = client.post("/login", json=body).json()["sessionId"]
        client.get("/bills", headers={"sessionId": session, "devKey": body["devKey"]})
        client.close()
    assert calls == [("bills", companies[1])]


def test_the_command_line_deletes(from_shell):
    emulator, client = from_shell("--delete-every", "2", "--delete-rows", "5")
    for _ in range(2):
        client.ok("/bills")
    assert emulator.company.count("bills") == 35
