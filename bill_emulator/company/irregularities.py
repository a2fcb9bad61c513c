"""Irregularities that an auditor looks for, planted in a company: known cases, and look-alikes that are in order.

Each has a name, and the company tells which record it is: the id of a bill, payment, vendor or credit, the uuid in
Spend & Expense. All have vendors of their own. Assumed:

* the audit trail calls a bank account `bankAccount.accountNumber`, and so on;
* a check that nobody cashed is PAID, its delivery IN_PROGRESS and its single status EXPIRING.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bill_emulator.company.planting import (
    APPROVED,
    APPROVER,
    CLERK,
    DIRECTOR,
    OTHER_CLERK,
    Planted,
    Planter,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.ledger import Debt, Party, Payment
    from bill_emulator.company.payables import PayableRows
    from bill_emulator.company.planting import Step, Tables
    from bill_emulator.company.stored import Row


def plant(company: Tables, rows: PayableRows) -> dict[str, Planted]:
    """Plant them all in a company, and tell for each control which records they are."""
    planter = Planter(company, rows)
    for control, scene in _SCENES.items():
        planter.planted[control] = planter.present = Planted()
        scene(planter)
    planter.finish()
    return planter.planted


def _exact_duplicate_bills(plant: Planter) -> None:
    cleaner, other = plant.vendor("Meridian Office Cleaning"), plant.vendor("Castle Window Care")
    plant.bill(cleaner, "MC-2041", "640.00", "2026-03-04", dated="2026-03-02")
    again = plant.bill(cleaner, "MC-2041", "640.00", "2026-03-19", dated="2026-03-02")
    plant.case("entered twice", again)
    elsewhere = plant.bill(other, "MC-2041", "640.00", "2026-03-20", dated="2026-03-02")
    plant.look_alike("the same number at another vendor", elsewhere)
    abroad = plant.vendor("Kessel & Rohr", "EUR")
    plant.bill(abroad, "R 4410", "1280.50", "2026-02-11")
    for name in ("the second of three in euros", "the third of three in euros"):
        plant.case(name, plant.bill(abroad, "R 4410", "1280.50", "2026-02-11"))
    plant.bill(cleaner, "MC-1990", "702.00", "2025-11-03", record_status="INACTIVE")
    plant.look_alike("the first was archived", plant.bill(cleaner, "MC-1990", "702.00", "2025-11-03"))
    plant.bill(cleaner, "MC-1991", "713.00", "2025-12-03", record_status="DRAFT")
    plant.look_alike("the first is a draft", plant.bill(cleaner, "MC-1991", "713.00", "2025-12-03"))


def _likely_duplicate_bills(plant: Planter) -> None:
    one, other, abroad = plant.vendor("Juniper Print"), plant.vendor("Alder Signs"), plant.vendor("北海印刷", "JPY")
    plant.bill(one, "INV 00812", "1210.00", "2026-02-03")
    plant.case("the number written otherwise", plant.bill(one, "inv-812", "1210.00", "2026-03-20"))
    plant.bill(one, "T-77", "300.00", "2026-01-12")
    plant.case("the same number for another amount", plant.bill(one, "T/77", "330.00", "2026-02-11"))
    plant.bill(one, "A-100", "955.10", "2026-05-04")
    plant.case("the same amount within days", plant.bill(one, "10052026", "955.10", "2026-05-10"))
    plant.bill(abroad, "東京 1", "45000", "2026-04-02")
    plant.case("the same amount in yen, 14 days later", plant.bill(abroad, "大阪 1", "45000", "2026-04-16"))
    plant.look_alike("the same amount 15 days later", plant.bill(abroad, "札幌 1", "45000", "2026-05-01"))
    plant.look_alike("another number outside ASCII", plant.bill(abroad, "京都 1", "46100", "2026-05-02"))
    plant.look_alike("the same number at another vendor", plant.bill(other, "INV 00812", "1215.00", "2026-02-03"))
    plant.look_alike("the same amount at another vendor", plant.bill(other, "S-9", "955.10", "2026-05-04"))
    plant.bill(other, "W-1", "820.00", "2025-03-10")
    plant.look_alike("the same amount a year later", plant.bill(other, "W-2", "820.00", "2026-03-10"))
    plant.look_alike("numbers begin again every year", plant.bill(other, "W-1", "870.00", "2026-03-14"))
    plant.look_alike("a number that begins alike", plant.bill(other, "W-100", "1190.00", "2026-03-15"))


def _duplicate_payments(plant: Planter) -> None:
    one, other = plant.vendor("Foxglove Rentals"), plant.vendor("Teasel Storage")
    abroad = plant.vendor("Wren Computing", "GBP")
    bill = plant.bill(one, "F-310", "1830.00", "2026-04-01")
    plant.pay(bill, "2026-04-14")
    plant.case("one bill paid twice, once by hand", plant.pay(bill, "2026-05-20", rail="OFFLINE"))
    for vendor, amount, days, name in (
        (one, "760.00", ("2026-05-04", "2026-05-06"), "two bills of the same amount"),
        (abroad, "915.25", ("2026-05-04", "2026-05-11"), "the same amount seven days later"),
    ):
        first = plant.bill(vendor, "F-201", amount, "2026-03-02")
        second = plant.bill(vendor, "F-255", amount, "2026-04-02")
        plant.pay(first, days[0])
        plant.case(name, plant.pay(second, days[1]))
    late = [plant.bill(other, f"Q-{number}", "1640.00", day) for number, day in ((3, "2026-03-02"), (4, "2026-04-02"))]
    plant.pay(late[0], "2026-05-04")
    plant.look_alike("the same amount eight days later", plant.pay(late[1], "2026-05-12"))
    halves = plant.bill(other, "Q-1", "2400.00", "2026-03-02")
    plant.pay(halves, "2026-04-14", part="1200.00")
    plant.look_alike("a bill paid in two halves", plant.pay(halves, "2026-04-17", part="1200.00"))
    for number, (state, amount) in enumerate((("VOID", "1310.00"), ("FAILED", "1320.00"), ("CANCELLED", "1330.00"))):
        again = plant.bill(other, f"Q-9{number}", amount, "2026-03-02")
        plant.pay(again, "2026-04-14", state=state)
        plant.look_alike(f"paid again, the first is {state.lower()}", plant.pay(again, "2026-04-16"))
    for month in ("02", "03", "04"):
        rent = plant.pay(plant.bill(other, f"Rent 2026-{month}", "1750.00", f"2026-{month}-01"), f"2026-{month}-20")
    plant.look_alike("the rent of another month", rent)
    bill = plant.bill(other, "Q-2", "1830.00", "2026-04-01")
    plant.look_alike("the same amount to another vendor", plant.pay(bill, "2026-04-14"))


def _duplicate_vendors(plant: Planter) -> None:
    plant.vendor("Harbourfront Supplies LLC")
    plant.case("the name written otherwise", plant.vendor("HARBOURFRONT  Supplies, Inc."))
    plant.look_alike("a name that begins alike", plant.vendor("Harbourfront Supplies of Maine"))
    plant.look_alike("a namesake that is archived", plant.vendor("Harbourfront Supplies", archived=True))
    plant.vendor("Delta Roofing", tax_id="47-1234567")
    plant.case("the same tax id", plant.vendor("Summit Repairs", tax_id="471234567"))
    plant.vendor("Osprey Courier", account=("074000010", "*****77123"))
    plant.case("the same bank account", plant.vendor("Heron Messengers", account=("074000010", "*****77123")))
    other_bank = plant.vendor("Bittern Post", account=("322271627", "*****77123"))
    plant.look_alike("the same digits at another bank", other_bank)
    plant.vendor("Plover Security", tax_id="***-**-6789")
    plant.look_alike("the same digits of a masked tax id", plant.vendor("Siskin Alarms", tax_id="***-**-6789"))
    plant.vendor("京都商店")
    plant.case("the name outside ASCII written otherwise", plant.vendor("京都 商店 Co."))
    plant.vendor("東京商店", account=("074000010", "*****"))
    osaka = plant.vendor("大阪商店", account=("074000010", "*****"))
    plant.look_alike("another name outside ASCII, and no digits shown", osaka)


def _bank_details_changed(plant: Planter) -> None:
    changed = plant.vendor("Cinder Electrical")
    amounts = iter(range(1101, 1200, 7))

    def paid(vendor: Party, day: str, state: str = "PAID") -> Payment:
        amount = next(amounts)
        return plant.pay(plant.bill(vendor, f"CE-{amount}", f"{amount}.00", "2026-04-01"), day, state=state)

    plant.change(changed, "bankAccount.accountNumber", "2026-05-10")
    plant.look_alike("paid the day before", paid(changed, "2026-05-09"))
    plant.case("paid within days", paid(changed, "2026-05-13"))
    plant.case("paid 14 days later", paid(changed, "2026-05-24"))
    plant.look_alike("paid 15 days later", paid(changed, "2026-05-25"))
    plant.look_alike("paid within days, but void", paid(changed, "2026-05-14", "VOID"))
    soon = plant.vendor("Marl Surveying")
    plant.change(soon, "Routing number", "2026-06-30")
    plant.case("still to be paid", paid(soon, "2026-06-30", "SCHEDULED"))
    other = plant.vendor("Sedge Catering")
    plant.change(other, "accountNumber", "2026-05-10")
    plant.look_alike("our account number there was changed", paid(other, "2026-05-13"))


def _creator_is_approver(plant: Planter) -> None:
    vendor = plant.vendor("Larch Consulting")
    amounts = iter(range(1120, 1220, 10))

    def entered(by: int, *steps: Step) -> Debt:
        amount = next(amounts)
        return plant.bill(vendor, f"LC-{amount}", f"{amount}.00", "2026-05-05", by=by, steps=steps)

    plant.case("approved alone", entered(CLERK, (CLERK, "APPROVED", 1)))
    second = entered(OTHER_CLERK, (APPROVER, "APPROVED", 1), (OTHER_CLERK, "APPROVED", 2))
    plant.case("approved as the second", second)
    plant.case("approved, another waits", entered(CLERK, (CLERK, "APPROVED", 1), (DIRECTOR, "WAITING", 0)))
    plant.look_alike("is to approve", entered(CLERK, (CLERK, "WAITING", 0)))
    passed_on = entered(CLERK, (CLERK, "REROUTED", 1), (APPROVER, "APPROVED", 2))
    plant.look_alike("passed it on", passed_on)
    plant.look_alike("denied it", entered(CLERK, (CLERK, "DENIED", 1)))
    plant.look_alike("another clerk approved", entered(CLERK, (OTHER_CLERK, "APPROVED", 1)))


def _creator_is_payer(plant: Planter) -> None:
    vendor = plant.vendor("Hazel Training")
    bill = plant.bill(vendor, "H-1", "1410.00", "2026-03-02")
    plant.case("paid by its creator", plant.pay(bill, "2026-03-12", by=CLERK))
    bills = [plant.bill(vendor, f"H-2{by}", f"{by}520.00", "2026-03-03", by=by) for by in (CLERK, OTHER_CLERK)]
    plant.case("one of two bills paid by its creator", plant.pay(bills, "2026-03-13", by=OTHER_CLERK))
    bill = plant.bill(vendor, "H-7", "1610.00", "2026-03-04")
    plant.look_alike("paid by who approved", plant.pay(bill, "2026-03-14", by=APPROVER))
    bill = plant.bill(vendor, "H-8", "1710.00", "2026-03-05")
    plant.look_alike("paid by its creator, but void", plant.pay(bill, "2026-03-15", by=CLERK, state="VOID"))
    bill = plant.bill(vendor, "H-9", "1810.00", "2026-03-06")
    plant.look_alike("paid by another clerk", plant.pay(bill, "2026-03-16", by=OTHER_CLERK))


def _paid_without_approval(plant: Planter) -> None:
    vendor = plant.vendor("Rowan Landscaping")
    amounts = iter(range(1305, 1500, 9))

    def paid(steps: tuple[Step, ...], state: str = "PAID", amount: str | None = None) -> Debt:
        number = next(amounts)
        bill = plant.bill(vendor, f"RL-{number}", amount or f"{number}.00", "2026-04-06", steps=steps)
        plant.pay(bill, "2026-04-20", state=state)
        return bill

    waiting: Step = (APPROVER, "WAITING", 0)
    plant.case("nobody has approved", paid((waiting,)))
    plant.case("one of two has approved", paid((*APPROVED, (DIRECTOR, "WAITING", 0))))
    plant.case("denied", paid(((APPROVER, "DENIED", 1),)))
    plant.case("approved afterwards", paid(((APPROVER, "APPROVED", 15),)))
    plant.case("nobody was asked, over the threshold", paid((), amount="900.00"))
    plant.case("to be paid, nobody has approved", paid((waiting,), "SCHEDULED"))
    plant.look_alike("approved on the day", paid(((APPROVER, "APPROVED", 14),)))
    plant.look_alike("nobody was asked, under the threshold", paid((), amount="120.00"))
    plant.look_alike("passed on and approved", paid(((APPROVER, "REROUTED", 1), (DIRECTOR, "APPROVED", 2))))
    plant.look_alike("not approved, payment cancelled", paid((waiting,), "CANCELLED"))
    unpaid = plant.bill(vendor, "RL-1", "1090.00", "2026-04-06", steps=(waiting,))
    plant.look_alike("not approved, not paid", unpaid)


def _below_approval_threshold(plant: Planter) -> None:
    vendor, abroad = plant.vendor("Spruce Tools"), plant.vendor("Fichte Werkzeug", "EUR")
    plant.case("a cent below", plant.bill(vendor, "ST-1", "499.99", "2026-03-09"))
    plant.case("five percent below", plant.bill(vendor, "ST-2", "475.00", "2026-03-10"))
    plant.case("below in US dollars", plant.bill(abroad, "FW-1", "450.00", "2026-03-11"))
    plant.case("below another threshold", plant.bill(vendor, "ST-3", "4900.00", "2026-03-12"))
    plant.look_alike("the threshold", plant.bill(vendor, "ST-4", "500.00", "2026-03-13"))
    plant.look_alike("more than five percent below", plant.bill(vendor, "ST-5", "474.99", "2026-03-14"))
    plant.look_alike("not below in US dollars", plant.bill(abroad, "FW-2", "490.00", "2026-03-15"))
    archived = plant.bill(vendor, "ST-6", "490.00", "2026-03-16", record_status="INACTIVE")
    plant.look_alike("archived", archived)


def _paid_before_invoice(plant: Planter) -> None:
    vendor, abroad = plant.vendor("Quartz Events"), plant.vendor("Opaal Feesten", "EUR")
    bill = plant.bill(vendor, "Q-10", "2110.00", "2026-02-02", dated="2026-02-13")
    plant.case("the day before", plant.pay(bill, "2026-02-12"))
    bills = [
        plant.bill(abroad, "O-1", "610.00", "2026-02-02"),
        plant.bill(abroad, "O-2", "620.00", "2026-02-03", dated="2026-03-01"),
    ]
    plant.case("one of two bills", plant.pay(bills, "2026-02-12"))
    bill = plant.bill(vendor, "Q-11", "2210.00", "2026-02-02", dated="2026-02-12")
    plant.look_alike("on the day", plant.pay(bill, "2026-02-12"))
    bill = plant.bill(vendor, "Q-12", "2310.00", "2026-02-02", dated="2026-02-28")
    plant.look_alike("the day before, but void", plant.pay(bill, "2026-02-27", state="VOID"))


def _unapplied_credits(plant: Planter) -> None:
    vendor = plant.vendor("Basalt Paving")
    bill = plant.bill(vendor, "B-1", "3000.00", "2026-01-12")
    plant.case("not used", plant.credit(vendor, "210.00", "2026-01-15"))
    plant.case("91 days old", plant.credit(vendor, "215.00", "2026-03-31"))
    plant.look_alike("90 days old", plant.credit(vendor, "220.00", "2026-04-01"))
    plant.look_alike("archived", plant.credit(vendor, "230.00", "2026-01-15", archived=True))
    used = plant.credit(vendor, "240.00", "2026-01-15")
    plant.apply(used, bill)
    plant.look_alike("used up", used)
    partly = plant.credit(vendor, "700.00", "2026-01-15")
    plant.apply(partly, plant.bill(vendor, "B-2", "510.00", "2026-01-13"))
    plant.case("used in part", partly)


def _vendors_1099_without_tax_id(plant: Planter) -> None:
    paid = plant.vendor("Ivy Bookkeeping", track_1099=True)
    plant.pay(plant.bill(paid, "I-1", "3350.00", "2026-02-02"), "2026-02-12")
    plant.case("paid this year", paid)
    plant.case("a blank tax id", plant.vendor("Moss Legal", track_1099=True, tax_id=" "))
    plant.look_alike("has a tax id", plant.vendor("Fern Design", track_1099=True, tax_id="47-7654321"))
    plant.look_alike("not tracked", plant.vendor("Sorrel Freight"))
    plant.look_alike("archived", plant.vendor("Nettle Photography", track_1099=True, archived=True))


def _voided_and_stale_checks(plant: Planter) -> None:
    vendor = plant.vendor("Limestone Works")
    uncashed: Row = {"singleStatus": "EXPIRING", "disbursementStatus": "IN_PROGRESS"}
    for number, (name, day, state, rail, differs) in enumerate(
        (
            ("void", "2026-05-05", "VOID", "CHECK", {}),
            ("sent 91 days ago", "2026-03-30", "PAID", "CHECK", uncashed),
            ("sent 90 days ago", "2026-03-31", "PAID", "CHECK", uncashed),
            ("cashed", "2026-01-20", "PAID", "CHECK", {}),
            ("void, but no check", "2026-05-06", "VOID", "RPPS", {}),
            ("cashed, as its delivery tells", "2026-01-21", "PAID", "CHECK", {"singleStatus": "FUNDING_STARTED"}),
            (
                "cashed, as its single status tells",
                "2026-01-22",
                "PAID",
                "CHECK",
                {"disbursementStatus": "IN_PROGRESS"},
            ),
            ("failed", "2026-01-23", "FAILED", "CHECK", {}),
        )
    ):
        bill = plant.bill(vendor, f"LW-{number}", f"2{number}40.00", "2026-01-05")
        payment = plant.pay(bill, day, state=state, rail=rail, **differs)
        (plant.case if name in ("void", "sent 91 days ago") else plant.look_alike)(name, payment)


def _spend_without_receipts(plant: Planter) -> None:
    without: Row = {"receipts": []}
    plant.case("a purchase", plant.spent("transactions", "240.00", **without))
    plant.case("marked as missing", plant.spent("transactions", "75.00", receiptStatus="MISSING", receipts=None))
    plant.case("a reimbursement", plant.spent("reimbursements", "130.00", **without))
    reviewer = {"approverType": "MANAGER", "status": "WAITING"}
    under_review = plant.spent("transactions", "310.00", reviewers=[reviewer], complete=False)
    plant.look_alike("under review, with a receipt", under_review)
    plant.look_alike("under the minimum", plant.spent("transactions", "74.99", **without))
    pending: Row = {"transactionType": "AUTHORIZATION", "status": "APPROVED", "complete": False}
    plant.look_alike("not cleared yet", plant.spent("transactions", "260.00", **without, **pending))
    refused = pending | {"transactionType": "DECLINE", "status": "DECLINED"}
    plant.look_alike("declined", plant.spent("transactions", "270.00", **without, **refused))
    plant.look_alike("money back", plant.spent("transactions", "-280.00", isCredit=True, **without))
    plant.look_alike("none is asked for", plant.spent("transactions", "290.00", receiptRequired=False, **without))
    mileage: Row = {"type": "MILEAGE", "merchantName": "Mileage", **without}
    plant.look_alike("mileage", plant.spent("reimbursements", "134.00", **mileage))


_SCENES: dict[str, Callable[[Planter], None]] = {
    "exact_duplicate_bills": _exact_duplicate_bills,
    "likely_duplicate_bills": _likely_duplicate_bills,
    "duplicate_payments": _duplicate_payments,
    "duplicate_vendors": _duplicate_vendors,
    "bank_details_changed": _bank_details_changed,
    "creator_is_approver": _creator_is_approver,
    "creator_is_payer": _creator_is_payer,
    "paid_without_approval": _paid_without_approval,
    "below_approval_threshold": _below_approval_threshold,
    "paid_before_invoice": _paid_before_invoice,
    "unapplied_credits": _unapplied_credits,
    "1099_without_tax_id": _vendors_1099_without_tax_id,
    "voided_and_stale_checks": _voided_and_stale_checks,
    "spend_without_receipts": _spend_without_receipts,
}

CONTROLS = tuple(_SCENES)
"""The controls, by name."""
