"""Work in the books: what it changes, to the cent, and whose `updatedTime` it moves."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
import requests

from bill_emulator import Clock, Company, OddTimes

BEGIN = datetime(2026, 7, 2, 8, 0, 1, tzinfo=UTC)
# Of bills and invoices: the parties and their id, the payments and where they say what they pay, the credits.
SIDES = {
    "bills": ("vendors", "vendorId", "payments", "billPayments", "billId", "vendor_credits"),
    "invoices": ("customers", "customerId", "receivable_payments", "invoicePayments", "invoiceId", "credit_memos"),
}
BOOKS = [
    name
    for debts, (parties, _, payments, _, _, credits_) in SIDES.items()
    for name in (debts, parties, payments, credits_)
]
KINDS = {"enter", "change", "approve", "apply_credit", "pay", "schedule", "clear", "void"}


@pytest.fixture(params=[False, True], ids=["row alone", "moves related"])
def company(request):
    return made(30, moves_related=request.param)


def made(bills, *, moves_related=False):
    company = Company(seed=7, bills=bills, clock=Clock(BEGIN, frozen=True))
    company.moves_related = moves_related
    return company


def snapshot(company):
    return {name: {row["id"]: row for row in company.rows(name)} for name in BOOKS}


class Worked:
    """A piece of work, checked: only what it names has changed, and only what it says has a new `updatedTime`."""

    def __init__(self, company, work):
        self.now = company.clock.advance(1).strftime("%Y-%m-%dT%H:%M:%S.000+00:00")
        self.before = snapshot(company)
        self.done = work()
        self.after = snapshot(company)
        changed, moved = defaultdict(set), defaultdict(set)
        for name, rows in self.after.items():
            assert self.before[name].keys() <= rows.keys()
            for row_id, row in rows.items():
                old = self.before[name].get(row_id, {})
                if row != old:
                    changed[name].add(row_id)
                    if row["updatedTime"] != old.get("updatedTime"):
                        assert row["updatedTime"] == self.now
                        moved[name].add(row_id)
        assert changed == {name: set(ids) for name, ids in self.done.changed.items()}
        assert moved == {name: set(ids) for name, ids in self.done.moved.items()}
        tie_out(self.after)

    def fell(self, name, row_id, *path):
        """By how much an amount is less than before."""
        old, new = self.before[name][row_id], self.after[name][row_id]
        for part in path:
            old, new = old[part], new[part]
        return old - new


def tie_out(rows):
    """What is open on the bills of a vendor is the vendor's balance; so for customers."""
    for name, (parties, party_id, *_) in SIDES.items():
        owed = defaultdict(Decimal)
        for row in rows[name].values():
            if row["recordStatus"] == "ACTIVE":
                owed[row[party_id]] += row["dueAmount"]
        assert {row["id"]: row["balance"]["amount"] for row in rows[parties].values()} == {
            party: owed[party] for party in rows[parties]
        }


def unpaid(company, name, least=100):
    """The first record that nothing was paid on, in a currency with cents."""
    return next(
        row
        for row in company.rows(name)
        if row["recordStatus"] == "ACTIVE"
        and row.get("paymentStatus", row.get("status")) in ("UNPAID", "OPEN")
        and row["dueAmount"] >= least
        and row["dueAmount"].as_tuple().exponent == -2
    )


@pytest.mark.parametrize("name", SIDES)
def test_a_part_is_paid_then_the_rest(company, name):
    parties, party_id, payments, shares, debt_id, _ = SIDES[name]
    debt = unpaid(company, name)
    part = Worked(company, lambda: company.pay(debt["id"], Decimal("12.34")))
    done = part.done
    others = {name: [debt["id"]], parties: [debt[party_id]]}
    assert (done.kind, done.changed) == ("pay", {payments: [done.id], **others})
    assert done.moved == ({payments: [done.id], **others} if company.moves_related else {payments: [done.id]})
    assert part.fell(name, debt["id"], "dueAmount") == Decimal("12.34")
    assert part.fell(parties, debt[party_id], "balance", "amount") == Decimal("12.34")
    payment, row = part.after[payments][done.id], part.after[name][debt["id"]]
    assert (payment["amount"], payment["status"], payment["createdTime"]) == (Decimal("12.34"), "PAID", part.now)
    assert [(share[debt_id], share["amount"]) for share in payment[shares]] == [(debt["id"], Decimal("12.34"))]
    assert row["payments"] == [
        {"id": done.id, "amount": Decimal("12.34"), "status": "PAID", "date": payment.get("processDate", part.now[:10])}
    ]
    assert row.get("paymentStatus", row.get("status")) in ("PARTIAL", "PARTIAL_PAYMENT")
    rest = Worked(company, lambda: company.pay(debt["id"]))
    assert rest.after[payments][rest.done.id]["amount"] == debt["dueAmount"] - Decimal("12.34")
    row = rest.after[name][debt["id"]]
    assert (row["dueAmount"], len(row["payments"])) == (0, 2)
    assert row.get("paymentStatus", row.get("status")) in ("PAID", "PAID_IN_FULL")
    if name == "bills":
        assert row["paidAmount"] == row["amount"]
        assert row["approvalStatus"] == "APPROVED"
        assert rest.after[parties][debt[party_id]]["balance"]["lastUpdatedDate"] == rest.now


def test_one_payment_pays_several_bills_the_first_ones_first(company):
    bill = unpaid(company, "bills")
    more = [company.enter("bills", bill["vendorId"], Decimal(amount)).id for amount in ("10.00", "20.00", "30.00")]
    several = Worked(company, lambda: company.pay(more, Decimal("25.50")))
    payment = several.after["payments"][several.done.id]
    assert [(share["billId"], share["amount"]) for share in payment["billPayments"]] == [
        (more[0], Decimal("10.00")),
        (more[1], Decimal("15.50")),
    ]
    assert several.done.changed["bills"] == more[:2]
    assert "billId" not in payment


@pytest.mark.parametrize("name", SIDES)
def test_what_is_scheduled_is_due_until_it_is_cleared_and_again_when_it_is_void(company, name):
    parties, party_id, payments, *_ = SIDES[name]
    debt = unpaid(company, name)
    soon = Worked(company, lambda: company.pay(debt["id"], scheduled=True))
    payment = soon.done.id
    assert soon.done.changed == {payments: [payment], name: [debt["id"]]}  # the balance is as it was
    row = soon.after[name][debt["id"]]
    assert (row["scheduledAmount"], row["dueAmount"]) == (debt["dueAmount"], debt["dueAmount"])
    everything = {payments: [payment], name: [debt["id"]], parties: [debt[party_id]]}
    for kind, work, fell in (("clear", company.clear, debt["dueAmount"]), ("void", company.void, -debt["dueAmount"])):
        worked = Worked(company, lambda work=work: work(payment))
        assert (worked.done.kind, worked.done.changed) == (kind, everything)
        assert worked.done.moved == (everything if company.moves_related else {payments: [payment]})
        assert worked.fell(name, debt["id"], "dueAmount") == fell
        assert worked.fell(parties, debt[party_id], "balance", "amount") == fell
        assert worked.after[payments][payment]["status"] == {"clear": "PAID", "void": "VOID"}[kind]
    row = worked.after[name][debt["id"]]
    assert (row["scheduledAmount"], row["payments"][0]["status"]) == (0, "VOID")
    if name == "bills":
        assert worked.after[payments][payment]["voidInfo"][0]["updatedTime"] == worked.now
        paid = "paymentInformation", "lastPaymentDate"
        before, after = (rows[parties][debt[party_id]][paid[0]].get(paid[1]) for rows in (soon.before, worked.after))
        assert before == after


@pytest.mark.parametrize("name", SIDES)
def test_a_credit_settles_a_part(company, name):
    parties, party_id, _, _, debt_id, credits_ = SIDES[name]
    debt = unpaid(company, name)
    credit = company.enter(credits_, debt[party_id], Decimal("20.00")).id
    some = Worked(company, lambda: company.apply_credit(credit, debt["id"], Decimal("5.25")))
    everything = {credits_: [credit], name: [debt["id"]], parties: [debt[party_id]]}
    assert (some.done.kind, some.done.id, some.done.changed) == ("apply_credit", credit, everything)
    assert some.done.moved == (everything if company.moves_related else {credits_: [credit]})
    row = some.after[credits_][credit]
    assert (row["appliedAmount"], row["status"]) == (Decimal("5.25"), "PARTIALLY_APPLIED")
    assert row["usage"] == [{debt_id: debt["id"], "amount": Decimal("5.25")}]
    assert some.after[name][debt["id"]]["creditAmount"] == Decimal("5.25")
    assert some.fell(parties, debt[party_id], "balance", "amount") == Decimal("5.25")
    rest = Worked(company, lambda: company.apply_credit(credit, debt["id"]))
    assert rest.after[credits_][credit]["status"] == "FULLY_APPLIED"
    assert rest.after[name][debt["id"]]["dueAmount"] == debt["dueAmount"] - 20


@pytest.mark.parametrize("name", SIDES)
def test_what_is_entered_or_changed_counts_for_the_balance(company, name):
    parties, party_id, *_ = SIDES[name]
    party = unpaid(company, name)[party_id]
    new = Worked(company, lambda: company.enter(name, party, Decimal("100.00")))
    everything = {name: [new.done.id], parties: [party]}
    assert (new.done.kind, new.done.changed) == ("enter", everything)
    assert new.done.moved == (everything if company.moves_related else {name: [new.done.id]})
    assert new.fell(parties, party, "balance", "amount") == -100
    company.pay(new.done.id, Decimal("40.00"))
    for amount, due in (("120.00", "80.00"), ("40.00", "0.00")):
        worked = Worked(company, lambda amount=amount: company.change(new.done.id, Decimal(amount)))
        assert (worked.done.kind, worked.done.changed) == ("change", everything)
        assert worked.done.moved == (everything if company.moves_related else {name: [new.done.id]})
        assert worked.after[name][new.done.id]["dueAmount"] == Decimal(due)
    with pytest.raises(ValueError, match="is paid, scheduled or credited"):
        company.change(new.done.id, Decimal("39.99"))


@pytest.mark.parametrize("moves_related", [False, True])
@pytest.mark.parametrize("state", ["ASSIGNED", "APPROVING", "DENIED", "UNASSIGNED"])
def test_a_bill_is_approved(state, moves_related):
    company = made(250, moves_related=moves_related)
    bill = next(
        row for row in company.rows("bills") if (row["recordStatus"], row["approvalStatus"]) == ("ACTIVE", state)
    )
    worked = Worked(company, lambda: company.approve(bill["id"]))
    assert worked.done.changed == {"bills": [bill["id"]]}
    assert worked.done.moved == (worked.done.changed if company.moves_related else {})
    row = worked.after["bills"][bill["id"]]
    assert row["approvalStatus"] == "APPROVED"
    times = {(old.get("userId"), old["status"]): old.get("statusChangedTime") for old in bill["approvers"]}
    assert len(row["approvers"]) == max(1, len(bill["approvers"]))
    for step in row["approvers"]:
        assert step["status"] == "APPROVED"
        assert step["statusChangedTime"] == times.get((step["userId"], "APPROVED"), worked.now)
    with pytest.raises(ValueError, match="does not wait for approval"):
        company.approve(bill["id"])


def test_random_work_keeps_the_books(company):
    chance, kinds = Random(4), set()
    for _ in range(30):
        worked = Worked(company, lambda: company.work(chance)[0])
        kinds.add(worked.done.kind)
    assert kinds == KINDS


def test_the_same_chance_gives_the_same_work():
    one, two = made(20), made(20)
    assert one.work(Random(3), 30) == two.work(Random(3), 30)
    assert snapshot(one) == snapshot(two)
    assert len(made(20).work(Random(4), 7)) == 7


def test_what_somebody_wrote_into_a_row_stays(company):
    bill = unpaid(company, "bills")
    company.edit("bills", bill["id"], {"description": "by hand"}, remove=["invoice"])
    company.odd_times([OddTimes("missing", "createdTime")])
    company.pay(bill["id"])
    row = company.row("bills", bill["id"])
    assert (row["description"], row["dueAmount"]) == ("by hand", 0)
    assert not row.keys() & {"invoice", "createdTime"}


def test_what_was_removed_is_out_of_the_books_and_stays_away(company):
    bill = unpaid(company, "bills")
    company.remove("vendors", bill["vendorId"])
    done = company.pay(bill["id"])
    assert done.changed.keys() == {"payments", "bills"}
    assert bill["vendorId"] not in company.ids("vendors")
    company.remove("bills", bill["id"])
    alone = company.add("bills")["id"]
    for row_id in (bill["id"], alone, "00n02NOTHING"):
        with pytest.raises(KeyError):
            company.pay(row_id)


def test_with_nobody_left_there_is_no_work():
    company = made(0)
    for name in ("vendors", "customers"):
        for row_id in company.ids(name):
            company.remove(name, row_id)
    with pytest.raises(ValueError, match="nothing left to do"):
        company.work(Random(1))


def test_work_that_cannot_be_done_is_refused_and_changes_nothing(company):
    bill, invoice = unpaid(company, "bills"), unpaid(company, "invoices")
    draft = next(row["id"] for row in company.rows("bills") if row["recordStatus"] == "DRAFT")
    other = next(row["id"] for row in company.rows("bills") if row["vendorId"] != bill["vendorId"])
    credit = company.enter("vendor_credits", bill["vendorId"], Decimal("5.00")).id
    paid = company.pay(invoice["id"]).id
    before = snapshot(company)
    for work, problem in (
        (lambda: company.pay(bill["id"], bill["dueAmount"] + 1), "of at most"),
        (lambda: company.pay(bill["id"], Decimal("0.001")), "no amount"),
        (lambda: company.pay(bill["id"], Decimal("0.00")), "no amount"),
        (lambda: company.pay(draft), "no amount"),
        (lambda: company.pay([bill["id"], other]), "one payment"),
        (lambda: company.pay([bill["id"], bill["id"]]), "one payment"),
        (lambda: company.pay(paid), "is one of receivable_payments"),
        (lambda: company.clear(paid), "is PAID, not SCHEDULED"),
        (lambda: company.approve(invoice["id"]), "does not wait"),
        (lambda: company.apply_credit(credit, other), "cannot be applied"),
        (lambda: company.apply_credit(credit, bill["id"], Decimal("5.01")), "of at most 5.00 in USD"),
        (lambda: company.enter("invoices", bill["vendorId"]), "cannot be entered"),
        (lambda: company.change(bill["id"], Decimal(-1)), "no amount"),
    ):
        with pytest.raises(ValueError, match=problem):
            work()
    assert snapshot(company) == before


@pytest.mark.parametrize("moves_related", [False, True])
def test_lists_follow_the_work(serve, moves_related):
    emulator, client = serve(bills=40, moves_related=moves_related)
    company = emulator.company
    open_ = 'paymentStatus:in:"UNPAID,PARTIAL"'
    since = 'updatedTime:gt:"2026-07-01T12:30:15"'

    def served():
        client.ids("/vendors", sort="updatedTime:asc")
        return set(client.ids("/bills", filters=open_, max=100)), client.ids("/bills", filters=since, max=100)

    served()
    bill = unpaid(company, "bills")
    company.pay(bill["id"])
    still, moved = served()
    assert (bill["id"] in still, moved) == (False, [bill["id"]] if moves_related else [])
    company.work(Random(2), 20)
    rows = {row["id"]: row for row in company.rows("bills")}
    assert served()[0] == {row_id for row_id, row in rows.items() if row["paymentStatus"] in ("UNPAID", "PARTIAL")}
    assert sorted(client.ids("/bills", sort="fundingAmount:desc", max=100)) == sorted(rows)


def test_the_switch_and_the_order_to_work(from_shell):
    for switches, moves in (([], False), (["--moves-related"], True)):
        emulator, _ = from_shell(*switches, sign_in=False)
        assert emulator.company.moves_related is moves
        control = emulator.url.removesuffix("/connect") + "/control"
        done = requests.post(control, json={"do": "work", "seed": 3, "how_many": 4}, timeout=10).json()
        assert [sorted(one) for one in done] == [["changed", "id", "kind", "moved"]] * 4
        assert {one["kind"] for one in done} <= KINDS
