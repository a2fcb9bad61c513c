"""Whether or not BILL moves the `updatedTime` of what a payment changes, the warehouse has what BILL has."""

from __future__ import annotations

from random import Random

import pytest
from runs import settings

from bill_emulator import Company, Emulator

STREAMS = {
    *("vendors", "bills", "vendor_credits", "payments"),
    *("customers", "invoices", "credit_memos", "receivable_payments"),
}
CUTS = (1.0, 0.4, 0.8, 0.2, 1.0)
"""How much of each run's output reaches the warehouse: less than all where the run is killed."""


def upsert(warehouse, messages, state):
    """Take messages in as a loader does that confirms every STATE at once; return the last state."""
    for message in messages:
        match message:
            case {"type": "RECORD", "stream": stream, "record": row}:
                warehouse[stream, row["organizationId"], row["id"]] = row
            case {"type": "STATE", "value": value}:
                state = value
    return state


def owed(warehouse):
    """What is due to each vendor, and the balance that BILL keeps for it."""
    due = {}
    for (stream, *_), row in warehouse.items():
        if stream == "bills" and not row["archived"]:
            due[row["vendorId"]] = due.get(row["vendorId"], 0) + row["dueAmount"]
    balances = {key[2]: row.get("balance", {}).get("amount") for key, row in warehouse.items() if key[0] == "vendors"}
    return {vendor: (amount, balances[vendor]) for vendor, amount in due.items() if amount}


def but_approval(row):
    """A row without what an approval changes, which no other record tells of."""
    return {name: value for name, value in row.items() if name not in {"approvalStatus", "approvers"}}


@pytest.mark.parametrize(("moves", "several"), [(False, True), (True, False)])
def test_the_warehouse_has_what_bill_has(tap, moves, several):
    ids = ["00802ORGANIZATION001", "00802ORGANIZATION002"][: 1 + several]
    companies = [Company(seed=seed, bills=15, organization_id=id_) for seed, id_ in enumerate(ids)]
    chance, warehouse, state = Random(3), {}, None
    with Emulator(companies=companies, moves_related=moves) as emulator:
        config = settings(emulator)
        if several:
            del config["organization_id"]
            config["organizations"] = [{"organization_id": id_} for id_ in ids]
        for cut in CUTS:
            for company in companies:
                company.clock.advance(1800)
                assert len(company.work(chance, 10)) == 10
            companies[0].clock.advance(1800)
            run = tap(config, select=STREAMS, state=state)
            assert (run.exit_code, run.errors) == (0, [])
            state = upsert(warehouse, run.messages[: int(len(run.messages) * cut)], state)
            if cut == 1:
                # What changed behind an interrupted read comes with the next one.
                state = upsert(warehouse, tap(config, select=STREAMS, state=state).messages, state)
                fresh = {}
                upsert(fresh, tap(config, select=STREAMS).messages, None)
                assert {key: but_approval(row) for key, row in warehouse.items()} == {
                    key: but_approval(row) for key, row in fresh.items()
                }
                assert all(amount == balance for amount, balance in owed(warehouse).values())


@pytest.mark.measured
@pytest.mark.parametrize("option", ["refuse_filters", "ignore_filters"])
def test_where_bill_does_not_select_by_id_the_run_says_so(tap, option):
    company = Company(seed=7, bills=20)
    with Emulator(company=company, **{option: ["id"]}) as emulator:
        first = tap(settings(emulator), select=STREAMS)
        company.clock.advance(1800)
        company.work(Random(3), 10)
        company.clock.advance(1800)
        second = tap(settings(emulator), select=STREAMS, state=first.state)
    assert (first.warnings, second.exit_code, second.errors) == ([], 0, [])
    told = {line.partition(":")[0]: line for line in second.warnings}
    assert {"bills", "vendors"} <= told.keys() <= {"bills", "vendors", "vendor_credits", "customers", "invoices"}
    for line in told.values():
        assert "does not let records be read by their ids" in line
        assert "Set full_reread_days: the stream is then read whole every so many days." in line
