"""The peers' way beside tap-bill, while people edit: sort by `updatedTime`, follow the cursor, one by one."""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from typing import Any

import requests

from benchmarks.harness import Bill, emulator, report, run_tap

Table = dict[str, dict[str, Any]]


def peer(bill: Bill, table: Table, bookmark: str | None) -> str | None:
    """Read as other connectors do; returns the next bookmark."""
    config = bill.config
    login = {"username": config["username"], "password": config["password"]}
    login |= {"organizationId": bill.organization_id, "devKey": config["dev_key"]}
    session = requests.post(f"{bill.url}/v3/login", json=login, timeout=60).json()["sessionId"]
    headers = {"sessionId": session, "devKey": config["dev_key"]}
    params: dict[str, str] = {"max": "100", "sort": "updatedTime:asc"}
    if bookmark:
        params["filters"] = f'updatedTime:gte:"{bookmark}"'
    while True:
        answer = requests.get(f"{bill.url}/v3/bills", params=params, headers=headers, timeout=60)
        page = answer.json(parse_float=Decimal)
        for row in page["results"]:
            table[row["id"]] = row
            bookmark = max(bookmark or "", row["updatedTime"])
        if not (cursor := page.get("nextPage")):
            return bookmark
        params["page"] = cursor


def tap(bill: Bill, table: Table, state: dict[str, Any] | None) -> dict[str, Any]:
    """Read with tap-bill; returns the next state."""
    run = run_tap(bill, ["bills"], state=state)
    for line in run.output.splitlines():
        message = json.loads(line, parse_float=Decimal)
        if message["type"] == "RECORD":
            table[message["record"]["id"]] = message["record"]
    return run.state


def main() -> int:
    """Two runs each on the same company: the first while it is edited, the second afterwards, then the truth."""
    rows = []
    for name, read in (("the peers' way", peer), ("tap-bill", tap)):
        table: Table = {}
        with emulator("--bills", "6000", "--latency", "0.02", "--edit-every", "1", "--edit-rows", "5") as bill:
            started = time.perf_counter()
            bookmark: Any = read(bill, table, None)
            seconds = time.perf_counter() - started
            asked = bill.control()["requests"]
            read(bill, table, bookmark)
            truth = {row["id"]: row for row in bill.control("/truth/bills")}
        # What was edited while the second run read is for the third; it is not counted as lost.
        second = max(row["updatedTime"] for row in table.values())
        lost = sum(id_ not in table for id_, row in truth.items() if row["updatedTime"] < second)
        stale = sum(
            id_ in table and table[id_]["updatedTime"] != row["updatedTime"]
            for id_, row in truth.items()
            if row["updatedTime"] < second
        )
        figure = f"{lost} lost, {stale} stale"
        rows.append((f"{name}: {seconds:.1f} s, {asked} requests", figure, "0 lost, 0 stale", lost + stale == 0))
    report(rows)
    return 0 if rows[-1][-1] else 1


if __name__ == "__main__":
    sys.exit(main())
