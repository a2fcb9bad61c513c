# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""The Spend & Expense books of the emulated company: invented rows with BILL's fields.

An id is text that looks like base64, a uuid has a prefix that says what it names (observed); both name the same row.
"""

from __future__ import annotations

import base64
import copy
import threading
import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.company.ledger import CLOSED
from bill_emulator.company.names import PEOPLE
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bill_emulator.company.odd_times import Oddities
    from bill_emulator.company.stored import Row


def spend_name(table: str) -> str:
    """A name for a list that no other list has: "spend_custom_fields" for "custom-fields"."""
    return f"spend_{table.replace('-', '_')}"


PARTS = {"members": "/budgets/{id}/members", "values": "/custom-fields/{id}/values"}
LISTS = ("transactions", "reimbursements", "cards", "budgets", "users", "custom-fields", *PARTS)
NAMES = {spend_name(name): name for name in LISTS}
"""The lists by names that no other list has: "spend_transactions", "spend_custom_fields", ..."""

_UUID = {
    "transactions": "trx",
    "reimbursements": "rmb",
    "cards": "crd",
    "budgets": "bgt",
    "users": "usr",
    "custom-fields": "tty",
    "values": "tvl",
    "receipts": "rct",
}
_MINUTE = 60_000_000
_MERCHANTS = ("Corner Café", "東京タクシー", "Łódź Office Supply", "Cloud Hosting Co", "Hotel Zürich")


class SpendBooks:
    """The rows by list, named by the last part of its path: "transactions", "budgets", "custom-fields", ...

    All methods may be called from any thread.
    """

    def __init__(
        self, seed: int, organization_id: str, size: int, now: Callable[[], datetime], odd: Callable[[], Oddities]
    ) -> None:
        """Draw up the books: `size` transactions. `now` tells when something is edited, `odd` which times are odd."""
        self._odd = odd
        self._mark = zlib.crc32(f"{seed}/{organization_id}".encode()) % 10**6
        self._now = now
        self.lock = threading.RLock()
        self._tables: dict[str, dict[str, Row]] = {}
        self._below: dict[str, dict[str, list[Row]]] = {"members": {}, "values": {}}
        self._serial = size
        self._keep("users", [self._user(n) for n in range(6)])
        self._keep("budgets", [self._budget(n) for n in range(5)])
        self._keep("cards", [self._card(n) for n in range(7)])
        self._keep("custom-fields", [self._custom_field(n) for n in range(3)])
        for number, field in enumerate(self.ids("custom-fields")):
            self._below["values"][field] = [self._value(number, n) for n in range(3)]
        for number, budget in enumerate(self.ids("budgets")):
            self._below["members"][budget] = [self._member(number, n) for n in range(1 + number % 3)]
        self._keep("transactions", [self._transaction(n) for n in range(size)])
        self._keep("reimbursements", [self._reimbursement(n) for n in range(max(4, size // 10))])

    def rows(self, table: str) -> list[Row]:
        """Copies of all rows of a list as they are sent, in the order in which they came in."""
        return [sent for sent, _ in self.pairs(table)]

    def pairs(self, table: str) -> list[tuple[Row, Row]]:
        """The same rows, each along with how filters and sorts see it."""
        name, odd = spend_name(table), self._odd()
        with self.lock:
            rows = list(self._tables[table].values())
            if not odd.rules:
                return [(row, row) for row in copy.deepcopy(rows)]
            return [(odd.sent(name, copy.deepcopy(row)), odd.meant(name, copy.deepcopy(row))) for row in rows]

    def ids(self, table: str) -> list[str]:
        """All ids, in the same order."""
        with self.lock:
            return list(self._tables[table])

    def members(self, budget: str) -> list[Row]:
        """Copies of the members of a budget; KeyError when there is no such budget."""
        return self.below("members", budget)

    def values(self, custom_field: str) -> list[Row]:
        """Copies of the values of a custom field; KeyError when there is no such field."""
        return self.below("values", custom_field)

    def below(self, table: str, parent: str) -> list[Row]:
        """Copies of the "members" or "values" of a row; KeyError when there is no such row."""
        with self.lock:
            return copy.deepcopy(self._below[table][parent])

    def remove_below(self, table: str, parent: str, place: int) -> None:
        """Take one of the "members" or "values" of a row away."""
        with self.lock:
            del self._below[table][parent][place]

    def edit(self, table: str, row_id: str, changes: Mapping[str, Any]) -> Row:
        """Change fields of a row, and stamp its `updatedTime` with now where it has one. Answers a copy."""
        with self.lock:
            row = self._tables[table][row_id]
            row.update(changes)
            if "updatedTime" in row:
                row["updatedTime"] = shown(microseconds(self._now()))
            return self._odd().sent(spend_name(table), copy.deepcopy(row))

    def add_transaction(self) -> Row:
        """A new card purchase, now. Answers a copy."""
        with self.lock:
            row = self._transaction(self._serial)
            self._serial += 1
            row["occurredTime"] = row["authorizedTime"] = row["updatedTime"] = shown(microseconds(self._now()))
            self._tables["transactions"][row["id"]] = row
            return self._odd().sent("spend_transactions", copy.deepcopy(row))

    def remove(self, table: str, row_id: str) -> None:
        """Take a row away: what is deleted vanishes from the lists (official)."""
        with self.lock:
            del self._tables[table][row_id]

    def _keep(self, table: str, rows: list[Row]) -> None:
        self._tables[table] = {row["id"]: row for row in rows}

    def _names(self, table: str, serial: int) -> Row:
        """The two names of a row."""
        text = f"{table}:{self._mark:06}{serial:06}"
        return {
            "id": base64.b64encode(text.encode()).decode(),
            "uuid": f"{_UUID[table]}_{self._mark:012}{serial:012}",
        }

    def _reference(self, table: str, serial: int, name: str) -> Row:
        """The two names of another row, as fields."""
        names = self._names(table, serial)
        return {f"{name}Id": names["id"], f"{name}Uuid": names["uuid"]}

    def _user(self, serial: int) -> Row:
        first, last = PEOPLE[serial % len(PEOPLE)]
        return {
            **self._names("users", serial),
            "firstName": first,
            "lastName": last,
            "email": f"person{serial}@example.com",
            "retired": serial == 4,
            "role": ("ADMIN", "FINANCE_ADMIN", "AUDITOR", "BOOKKEEPER", "MEMBER", "MEMBER")[serial % 6],
            "smsOptIn": serial % 2 == 0,
            "createdTime": shown(CLOSED - (400 - serial) * 1440 * _MINUTE),
        }

    def _budget(self, serial: int) -> Row:
        spent = {"cleared": Decimal("10.10") * serial, "pending": Decimal("0.10"), "total": Decimal("10.10") * serial}
        return {
            **self._names("budgets", serial),
            "name": ("Team meals", "Reisen", "Software", "オフィス", "Old project")[serial % 5],
            "retired": serial == 4,
            "startDate": "2026-01-01",
            "recurringInterval": "MONTHLY",
            "recurringLimit": Decimal("5000.00"),
            "currentPeriod": {"startDate": "2026-06-01", "limit": Decimal("5000.00"), "spent": spent},
        }

    def _card(self, serial: int) -> Row:
        return {
            **self._names("cards", serial),
            "name": f"Card {serial}",
            **self._reference("users", serial % 6, "user"),
            **self._reference("budgets", serial % 4, "budget"),
            "lastFour": f"{4242 + serial}",
            "status": ("ACTIVATED", "FROZEN", "NOT_ACTIVATED")[serial % 3],
            "type": "PHYSICAL" if serial % 2 else "VIRTUAL",
            "recurring": serial % 2 == 0,
            "currentPeriod": {"limit": Decimal("250.00"), "spent": Decimal("0.10") * serial},
            "createdTime": shown(CLOSED - (300 - serial) * 1440 * _MINUTE),
            "updatedTime": shown(CLOSED - (200 - serial) * 1440 * _MINUTE),
        }

    def _custom_field(self, serial: int) -> Row:
        return {
            **self._names("custom-fields", serial),
            "name": ("Category", "Projekt", "Note")[serial % 3],
            "type": "NOTE" if serial == 2 else "CUSTOM_SELECTOR",
            "multiSelect": serial == 0,
            "required": serial == 0,
            "global": True,
            "retired": serial == 2,
            "createdTime": shown(CLOSED - (350 - serial) * 1440 * _MINUTE),
        }

    def _value(self, field: int, serial: int) -> Row:
        return {
            **self._names("values", 10 * field + serial),
            "value": f"Value {field}.{serial}",
            "deleted": serial == 2,
        }

    def _member(self, budget: int, serial: int) -> Row:
        return {
            **self._reference("users", (budget + serial) % 6, "user"),
            "spent": Decimal("12.30") * serial,
            "limit": Decimal("100.00"),
            "budgetRole": "OWNER" if serial == 0 else "MEMBER",
            "retired": serial == 2,
        }

    def _chosen(self, serial: int) -> list[Row]:
        """The custom fields of a transaction or reimbursement."""
        field = {**self._names("custom-fields", 0), "name": "Category", "isRequired": True}
        values = [{**self._names("values", n), "value": f"Value 0.{n}"} for n in range(1 + serial % 2)]
        note = {**self._names("custom-fields", 2), "name": "Note", "note": f"№ {serial}"}
        return [{**field, "selectedValues": values}, *([note] if serial % 3 == 0 else [])]

    def _receipt(self, serial: int) -> Row:
        uuid = self._names("receipts", serial)["uuid"]
        return {"filename": f"receipt{serial}.pdf", "url": f"https://files.example/{uuid}", "uuid": uuid}

    def _transaction(self, serial: int) -> Row:
        occurred = CLOSED - (5_000 - serial) * 30 * _MINUTE
        amount = Decimal(serial * 137 % 90_000 + 10) / 100
        original = serial % 4 == 3
        row = {
            **self._names("transactions", serial),
            "transactionType": "DECLINE" if serial % 11 == 10 else "CLEAR" if serial % 2 else "AUTHORIZATION",
            "status": "DECLINED" if serial % 11 == 10 else "COMPLETE" if serial % 2 else "APPROVED",
            "complete": serial % 2 == 1,
            "isLocked": False,
            "isParent": True,
            **self._reference("users", serial % 6, "user"),
            "userName": " ".join(PEOPLE[serial % 6]),
            "merchantName": _MERCHANTS[serial % len(_MERCHANTS)],
            **self._reference("budgets", serial % 4, "budget"),
            **self._reference("cards", serial % 7, "card"),
            "cardLastFour": f"{4242 + serial % 7}",
            "isCredit": amount < 0,
            "amount": amount,
            "transactedAmount": amount,
            "fees": Decimal("0.10") if original else Decimal(0),
            "currencyData": {
                "exchangeRate": Decimal("0.92115") if original else Decimal("1.0"),
                "exponent": 2,
                "originalCurrencyAmount": str(int(amount * 100)),
                "originalCurrencyCode": "EUR" if original else "USD",
            },
            "occurredTime": shown(occurred),
            "authorizedTime": shown(occurred),
            "updatedTime": shown(occurred + serial % 5 * 60 * _MINUTE),
            "customFields": self._chosen(serial),
            "receipts": [self._receipt(serial)] if serial % 2 else [],
            "reviewers": [
                {"approverType": "MANAGER", "status": "WAITING", **self._reference("users", n, "user")}
                for n in range(serial % 3)
            ],
        }
        if serial % 2 and serial > 1:
            row |= self._reference("transactions", serial - 1, "originalAuthTransaction")
        return row

    def _reimbursement(self, serial: int) -> Row:
        submitted = CLOSED - (900 - serial) * 60 * _MINUTE
        return {
            **self._names("reimbursements", serial),
            "amount": Decimal("18.40") + serial,
            "merchantName": _MERCHANTS[serial % len(_MERCHANTS)],
            "submittedTime": shown(submitted),
            "occurredDate": f"{datetime.fromisoformat(shown(submitted)) - timedelta(days=2):%Y-%m-%d}",
            "retired": serial % 4 == 3,
            "status": "PAID" if serial % 2 else "APPROVED",
            "type": "MILEAGE" if serial % 3 == 2 else "PURCHASE",
            **self._reference("budgets", serial % 4, "budget"),
            **self._reference("users", serial % 6, "user"),
            "statusHistory": [
                {"actorRole": "SUBMITTER", "occurredTime": shown(submitted + n * _MINUTE), "status": "APPROVED"}
                for n in range(1 + serial % 2)
            ],
            "receipts": [self._receipt(100_000 + serial)],
            "customFields": self._chosen(serial),
        }
