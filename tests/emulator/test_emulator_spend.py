"""Spend & Expense, what is asked for per record, and the lists that few programs need."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bill_emulator import EXTRAS, PARTS
from bill_emulator.protocol.spend import SORTS

SCHEMAS = Path(__file__).parents[2] / "schemas"
TOKEN = {"apiToken": "demo-spend-token"}
LISTS = ("transactions", "reimbursements", "cards", "budgets", "users", "custom-fields")


def fields(stream):
    return json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))["properties"].keys()


@pytest.fixture
def spend(serve):
    """Reads a list of Spend & Expense."""
    emulator, client = serve()

    def get(path, **parameters):
        return client.get(f"/spend/{path}", headers=TOKEN, **parameters)

    get.emulator = emulator
    return get


def ids(answer):
    return [row["id"] for row in answer.json()["results"]]


@pytest.mark.parametrize("headers", [{}, {"apiToken": "wrong"}])
def test_only_the_token_counts(serve, headers):
    _, client = serve()
    answer = client.get("/spend/cards", headers=headers)
    assert (answer.status_code, answer.json()[0]["code"]) == (401, "BDC_1109")


@pytest.mark.parametrize("name", LISTS)
def test_rows_have_documented_fields(spend, name):
    books = spend.emulator.company.spend
    stream = f"spend_{name.replace('-', '_')}"
    assert {field for row in books.rows(name) for field in row} <= fields(stream)
    assert all(row["id"] and row["uuid"] for row in books.rows(name))


@pytest.mark.parametrize(
    ("name", "size", "status"),
    [("transactions", 50, 200), ("transactions", 51, 400), ("cards", 100, 200), ("cards", 101, 400), ("cards", 0, 400)],
)
def test_the_largest_page(spend, name, size, status):
    assert spend(name, max=size).status_code == status


def test_cursors_lead_through_the_list(spend):
    found, cursor = [], {}
    for _ in range(10):
        answer = spend("transactions", max=7, **cursor)
        found += ids(answer)
        if "nextPage" not in answer.json():
            break
        cursor = {"nextPage": answer.json()["nextPage"]}
    assert found == spend.emulator.company.spend.ids("transactions")[::-1]


def test_what_is_not_known_has_no_effect(spend):
    first = ids(spend("transactions", max=5))
    assert ids(spend("transactions", max=5, page="anything", start_date="2026-01-01", page_size=3)) == first
    assert ids(spend("transactions", max=5, filters="status:eq:COMPLETE")) == first


def test_filters(spend):
    rows = spend.emulator.company.spend.rows("transactions")
    bound = sorted(row["updatedTime"] for row in rows)[20]
    since = spend("transactions", max=50, filters=f'updatedTime:gte:"{bound}"')
    assert set(ids(since)) == {row["id"] for row in rows if row["updatedTime"] >= bound}
    assert spend("transactions", filters=f"updatedTime:gte:{bound}").status_code == 400
    assert [row["retired"] for row in spend("users", filters="retired:eq:true").json()["results"]] == [True]
    assert len(ids(spend("users"))) == 6


def test_budgets_need_a_filter(spend):
    assert ids(spend("budgets")) == []
    assert len(ids(spend("budgets", filters="retired:eq:false"))) == 4
    assert len(ids(spend("budgets", filters="retired:eq:true"))) == 1


@pytest.mark.parametrize("sort", ["updatedTime:asc", "occurredTime", "occurredTime:asc,amount:asc"])
def test_sorts_that_are_refused(spend, sort):
    assert "occurredTime" in SORTS["transactions"]
    assert spend("transactions", sort=sort).status_code == 400


def test_one_sort(spend):
    rows = spend("transactions", max=50, sort="occurredTime:asc").json()["results"]
    assert [row["occurredTime"] for row in rows] == sorted(row["occurredTime"] for row in rows)


def test_receipts_only_if_asked_for(spend):
    assert not any("receipts" in row for row in spend("transactions").json()["results"])
    assert all("receipts" in row for row in spend("transactions", includeReceipts="true").json()["results"])


def test_sixty_a_minute(serve):
    emulator, client = serve(spend_limit=5)
    statuses = [client.get("/spend/cards", headers=TOKEN).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    refused = client.get("/spend/cards", headers=TOKEN)
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert emulator.spend.refused == 2
    emulator.clock.advance(60)
    assert client.get("/spend/cards", headers=TOKEN).status_code == 200


@pytest.mark.parametrize(("quirk", "same"), [("same_page", True), ("fresh_cursors", False)])
def test_lists_that_go_round_in_circles(serve, quirk, same):
    _, client = serve(spend_quirks=[quirk])
    first = client.get("/spend/transactions", headers=TOKEN, max=5).json()
    second = client.get("/spend/transactions", headers=TOKEN, max=5, nextPage=first["nextPage"]).json()
    assert second["results"] == first["results"]
    assert (second["nextPage"] == first["nextPage"]) is same


def test_card_numbers_are_counted(spend):
    card = spend.emulator.company.spend.ids("cards")[0]
    spend(f"cards/{card}/pan-jwt")
    assert spend.emulator.spend.card_numbers == 1


def test_members_and_values(spend):
    books = spend.emulator.company.spend
    budget, field = books.ids("budgets")[1], books.ids("custom-fields")[0]
    assert [row["userId"] for row in spend(f"budgets/{budget}/members").json()["results"]] == [
        row["userId"] for row in books.members(budget)
    ]
    assert ids(spend(f"custom-fields/{field}/values")) == [row["id"] for row in books.values(field)]
    assert spend("budgets/nobody/members").json()[0]["code"] == "BDC_1205"


def test_a_path_names_a_record_by_its_id_or_its_uuid(spend):
    books = spend.emulator.company.spend
    for table, below in (("budgets", "members"), ("custom-fields", "values")):
        row = books.rows(table)[0]
        by_id, by_uuid = (spend(f"{table}/{row[name]}/{below}").json()["results"] for name in ("id", "uuid"))
        assert by_id == by_uuid != []
    books.remove_below("values", row["uuid"], 0)
    assert len(books.values(row["id"])) == len(by_id) - 1


def test_edits_and_additions(spend):
    books = spend.emulator.company.spend
    row = books.edit("transactions", books.ids("transactions")[0], {"merchantName": "Changed"})
    assert row["updatedTime"] == "2026-07-01T12:30:15.000+00:00"
    assert row.keys() - books.edit("transactions", row["id"], {}, remove=("uuid", "nothing")).keys() == {"uuid"}
    assert books.add_transaction()["id"] == books.ids("transactions")[-1]
    books.remove("cards", books.ids("cards")[0])
    assert len(ids(spend("cards"))) == 6


# Per record


@pytest.mark.parametrize("name", PARTS)
def test_parts(reader, usual, name):
    part = PARTS[name]
    counts = set()
    for parent in usual.company.ids(part.parent)[:40]:
        rows = usual.company.parts(name, parent)
        counts.add(len(rows))
        path = part.path.replace("{id}", parent)
        assert {field for row in rows for field in row} <= fields(name)
        if part.shape == "single":
            answer = reader.get(path)
            assert answer.json() == rows[0] if rows else answer.json()[0]["code"] == "BDC_1205"
        elif part.shape == "array":
            assert [
                *reader.ok(path, max=20),
                *reader.ok(path, max=20, start=20),
                *reader.ok(path, max=20, start=40),
            ] == rows
        else:
            assert reader.ok(path) == {"results": rows}
            assert reader.ok(path, max=1).get("results") == rows[:1]
            assert ("nextPage" in reader.ok(path, max=1)) == (len(rows) > 1)
    assert len(counts) > 1
    assert reader.get(part.path.replace("{id}", "0090000000000000XXXX")).json()[0]["code"] == "BDC_1205"


@pytest.mark.parametrize("name", [name for name in EXTRAS if name != "bills_pending_approval"])
def test_rare_lists(reader, usual, name):
    extra = EXTRAS[name]
    path = extra.path.replace("{organizationId}", usual.company.organization_id)
    status = {"cardUserStatus": "VERIFIED"} if extra.needed else {}
    rows = extra.rows(usual.company, "VERIFIED" if extra.needed else "")
    body = reader.ok(path, **status)
    found = [body] if extra.records is None else body if extra.records == "" else body[extra.records]
    assert found == rows[:20]
    if name != "login_organizations":
        assert {field for row in rows for field in row} <= fields(name)


def test_card_accounts_need_a_status(reader):
    assert reader.refused("/funding-accounts/cards") == "cardUserStatus: must be VERIFIED or NOMINATED"


def test_statements_have_dates_or_pages(reader, usual):
    path = f"/organizations/{usual.company.organization_id}/billing-statements"
    window = {"invoiceDateFrom": "2026-02-01", "invoiceDateTo": "2026-03-31"}
    assert {row["invoiceDate"] for row in reader.ok(path, **window)["results"]} == {"2026-02-01", "2026-03-01"}
    assert reader.refused(path, max=5, **window) == "max and page: not allowed with dates"


def test_pending_approvals_are_not_for_tokens(reader):
    assert reader.get("/bill-approvals/pending-user-approvals").json()[0]["code"] == "BDC_1302"
