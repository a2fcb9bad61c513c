# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""The Spend & Expense books of the emulated company: invented rows with BILL's fields.

An id is text that looks like base64, a uuid has a prefix that says what it names (observed); both name the same row.
"""

from __future__ import annotations

import base64
import threading
import zlib
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from bill_emulator.chance import drawn
from bill_emulator.company.ledger import CLOSED
from bill_emulator.company.names import PEOPLE
from bill_emulator.company.stored import copy_of
from bill_emulator.times import DAY, MINUTE, calendar_day, microseconds, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

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
_PERIOD = "2026-06-01"
"""When the month began in which the history ends."""


class Merchant(NamedTuple):
    """Where cards are used: the range of a purchase in US cents, and the currency that it was made in."""

    name: str
    low: int
    high: int
    currency: str = "USD"


class Budget(NamedTuple):
    """What money is for: the category of its purchases, and where they are made."""

    name: str
    category: str
    merchants: tuple[Merchant, ...]


_BUDGETS = (
    Budget("Team meals", "Meals", (Merchant("Corner Café", 850, 6_400), Merchant("Noodle House 麺", 1_100, 9_800))),
    Budget(
        "Reisen",
        "Travel",
        (Merchant("東京タクシー", 900, 7_500, "JPY"), Merchant("Hotel Zürich", 9_500, 64_000, "CHF")),
    ),
    Budget(
        "Software", "Software", (Merchant("Cloud Hosting Co", 4_900, 89_000), Merchant("Design Suite", 1_900, 15_900))
    ),
    Budget(
        "オフィス", "Office", (Merchant("Łódź Office Supply", 1_500, 42_000, "PLN"), Merchant("Paper Barn", 700, 8_800))
    ),
    Budget("Old project", "Gifts", ()),
)
_RETIRED_USER, _RETIRED_BUDGET, _TRAVEL = 4, 4, 1

# Units of a currency for one US dollar, and its digits.
_ABROAD = {"JPY": (Decimal("155.95"), 0), "CHF": (Decimal("0.8874"), 2), "PLN": (Decimal("3.9701"), 2)}

# Owner (a user) and budget of each card; those that purchases are made with were activated.
_CARDS = ((0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (5, 1), (0, 2))
_CARD_STATES = ("ACTIVATED", "ACTIVATED", "NOT_ACTIVATED", "ACTIVATED", "FROZEN", "ACTIVATED", "ACTIVATED")
_USED = [place for place, state in enumerate(_CARD_STATES) if state == "ACTIVATED"]

_VALUES = (("Meals", "Travel", "Software", "Office", "Gifts"), ("Spring market", "新店舗", "Old fair"), ())
"""The values of each custom field; the last one was deleted."""


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
        self._serial = self._size = size
        self._seed = seed
        self._keep("transactions", [self._transaction(n) for n in range(size)])
        self._spent = self._add_up()
        self._keep("users", [self._user(n) for n in range(6)])
        self._keep("budgets", [self._budget(n) for n in range(len(_BUDGETS))])
        self._keep("cards", [self._card(n) for n in range(len(_CARDS))])
        self._keep("custom-fields", [self._custom_field(n) for n in range(len(_VALUES))])
        for number, field in enumerate(self._tables["custom-fields"].values()):
            self._keep_below("values", field, [self._value(number, n) for n in range(len(_VALUES[number]))])
        for number, budget in enumerate(self._tables["budgets"].values()):
            self._keep_below("members", budget, [self._member(number, user) for user in _members(number)])
        self._keep("reimbursements", [self._reimbursement(n) for n in range(max(4, size // 10))])

    def _add_up(self) -> Counter[tuple[str, str]]:
        """What was spent in the present period: by budget, card, member, and budget and state."""
        spent: Counter[tuple[str, str]] = Counter()
        settled = {row.get("originalAuthTransactionId") for row in self._tables["transactions"].values()}
        for row in self._tables["transactions"].values():
            if row["transactionType"] == "DECLINE" or row["id"] in settled or row["occurredTime"] < _PERIOD:
                continue
            state = "cleared" if row["transactionType"] == "CLEAR" else "pending"
            for what in (row["budgetId"], row["cardId"], row["budgetId"] + row["userId"]):
                spent[what, "total"] += row["amount"]
                spent[what, state] += row["amount"]
        return spent

    def _sum(self, what: str, state: str = "total") -> Decimal:
        return Decimal("0.00") + self._spent[what, state]

    def rows(self, table: str) -> list[Row]:
        """Copies of all rows of a list as they are sent, in the order in which they came in."""
        return [sent for sent, _ in self.pairs(table)]

    def pairs(self, table: str) -> list[tuple[Row, Row]]:
        """The same rows, each along with how filters and sorts see it."""
        name, odd = spend_name(table), self._odd()
        with self.lock:
            rows = list(self._tables[table].values())
            if not odd.rules:
                return [(row, row) for row in copy_of(rows)]
            return [(odd.sent(name, copy_of(row)), odd.meant(name, copy_of(row))) for row in rows]

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
        """Copies of the "members" or "values" of a row, by its id or uuid; KeyError when there is no such row."""
        with self.lock:
            rows: list[Row] = copy_of(self._below[table][parent])
            return rows

    def remove_below(self, table: str, parent: str, place: int) -> None:
        """Take one of the "members" or "values" of a row away."""
        with self.lock:
            del self._below[table][parent][place]

    def edit(self, table: str, row_id: str, changes: Mapping[str, Any], remove: Iterable[str] = ()) -> Row:
        """Change fields of a row, or leave them out, and stamp its `updatedTime` with now where it has one.

        Answers a copy.
        """
        with self.lock:
            row = self._tables[table][row_id]
            row.update(changes)
            for field in remove:
                row.pop(field, None)
            if "updatedTime" in row:
                row["updatedTime"] = shown(microseconds(self._now()))
            return self._odd().sent(spend_name(table), copy_of(row))

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert or replace a row exactly as given."""
        with self.lock:
            self._tables[table][row["id"]] = copy_of(dict(row))

    def add_transaction(self) -> Row:
        """A new card purchase, now. Answers a copy."""
        with self.lock:
            row = self._transaction(self._serial)
            self._serial += 1
            row["occurredTime"] = row["authorizedTime"] = row["updatedTime"] = shown(microseconds(self._now()))
            self._tables["transactions"][row["id"]] = row
            return self._odd().sent("spend_transactions", copy_of(row))

    def remove(self, table: str, row_id: str) -> None:
        """Take a row away: what is deleted vanishes from the lists (official)."""
        with self.lock:
            del self._tables[table][row_id]

    def _keep(self, table: str, rows: list[Row]) -> None:
        self._tables[table] = {row["id"]: row for row in rows}

    def _keep_below(self, table: str, parent: Row, rows: list[Row]) -> None:
        self._below[table][parent["id"]] = self._below[table][parent["uuid"]] = rows

    def _id(self, table: str, serial: int) -> str:
        return base64.b64encode(f"{table}:{self._mark:06}{serial:06}".encode()).decode()

    def _names(self, table: str, serial: int) -> Row:
        """The two names of a row."""
        return {"id": self._id(table, serial), "uuid": f"{_UUID[table]}_{self._mark:012}{serial:012}"}

    def _reference(self, table: str, serial: int, name: str) -> Row:
        """The two names of another row, as fields."""
        names = self._names(table, serial)
        return {f"{name}Id": names["id"], f"{name}Uuid": names["uuid"]}

    def _user(self, serial: int) -> Row:
        first, last = PEOPLE[serial]
        return {
            **self._names("users", serial),
            "firstName": first,
            "lastName": last,
            "email": f"user{serial}@garden.example",
            "retired": serial == _RETIRED_USER,
            "role": ("ADMIN", "FINANCE_ADMIN", "AUDITOR", "BOOKKEEPER", "MEMBER", "MEMBER")[serial],
            "smsOptIn": serial % 2 == 0,
            "createdTime": shown(CLOSED - (400 - serial) * DAY),
        }

    def _budget(self, serial: int) -> Row:
        names = self._names("budgets", serial)
        spent = {state: self._sum(names["id"], state) for state in ("cleared", "pending", "total")}
        limit = _limit(Decimal("5000.00"), spent["total"])
        return {
            **names,
            "name": _BUDGETS[serial].name,
            "retired": serial == _RETIRED_BUDGET,
            "startDate": "2026-01-01",
            "recurringInterval": "MONTHLY",
            "recurringLimit": limit,
            "currentPeriod": {"startDate": _PERIOD, "limit": limit, "spent": spent},
        }

    def _card(self, serial: int) -> Row:
        user, budget = _CARDS[serial]
        names = self._names("cards", serial)
        spent = self._sum(names["id"])
        return {
            **names,
            "name": f"{_BUDGETS[budget].name}, {PEOPLE[user][0]}",
            **self._reference("users", user, "user"),
            **self._reference("budgets", budget, "budget"),
            "lastFour": f"{4242 + serial}",
            "status": _CARD_STATES[serial],
            "type": "PHYSICAL" if serial % 2 else "VIRTUAL",
            "recurring": serial % 2 == 0,
            "currentPeriod": {"limit": _limit(Decimal("2500.00"), spent), "spent": spent},
            "createdTime": shown(CLOSED - (300 - serial) * DAY),
            "updatedTime": shown(CLOSED - (200 - serial) * DAY),
        }

    def _custom_field(self, serial: int) -> Row:
        return {
            **self._names("custom-fields", serial),
            "name": ("Category", "Projekt", "Note")[serial],
            "type": "CUSTOM_SELECTOR" if _VALUES[serial] else "NOTE",
            "multiSelect": serial == 1,
            "required": serial == 0,
            "global": True,
            "retired": serial == 2,
            "createdTime": shown(CLOSED - (350 - serial) * DAY),
        }

    def _value(self, field: int, serial: int) -> Row:
        return {**self._chosen_value(field, serial), "deleted": serial == len(_VALUES[field]) - 1}

    def _chosen_value(self, field: int, serial: int) -> Row:
        return {**self._names("values", 10 * field + serial), "value": _VALUES[field][serial]}

    def _member(self, budget: int, user: int) -> Row:
        names = self._reference("users", user, "user")
        spent = self._sum(self._names("budgets", budget)["id"] + names["userId"])
        return {
            **names,
            "spent": spent,
            "limit": _limit(Decimal("2500.00"), spent),
            "budgetRole": "OWNER" if user == budget else "MEMBER",
            "retired": user == _RETIRED_USER,
        }

    def _chosen(self, serial: int, budget: int) -> list[Row]:
        """The custom fields of a transaction or reimbursement: its category, some projects, now and then a note."""
        category = _VALUES[0].index(_BUDGETS[budget].category)
        fields = [(0, "Category", [category]), (1, "Projekt", [*range(serial % 3)])]
        chosen = [
            {
                **self._names("custom-fields", field),
                "name": name,
                "isRequired": field == 0,
                "selectedValues": [self._chosen_value(field, value) for value in values],
            }
            for field, name, values in fields
            if values
        ]
        note = {**self._names("custom-fields", 2), "name": "Note", "note": f"№ {serial}"}
        return [*chosen, note] if serial % 3 == 0 else chosen

    def _receipt(self, serial: int) -> Row:
        uuid = self._names("receipts", serial)["uuid"]
        return {"filename": f"receipt{serial}.pdf", "url": f"https://files.example/{uuid}", "uuid": uuid}

    def _transaction(self, serial: int) -> Row:
        """Two rows for each purchase: its authorization and its clearing, or a refusal and another try."""
        purchase, second = divmod(serial, 2)
        refused = purchase % 11 == 10
        kind = ("DECLINE" if refused else "AUTHORIZATION", "AUTHORIZATION" if refused else "CLEAR")[second]
        card = _USED[purchase % len(_USED)]
        user, budget = _CARDS[card]
        merchants = _BUDGETS[budget].merchants
        merchant = merchants[purchase // len(_USED) % len(merchants)]
        cents = merchant.low + int(drawn(self._seed, "purchase", purchase) * (merchant.high - merchant.low))
        amount = Decimal(cents).scaleb(-2)
        rate, digits = _ABROAD.get(merchant.currency, (Decimal("1.0"), 2))
        occurred = CLOSED - (self._size - 2 * purchase) * (170 * DAY // max(1, self._size))
        updated = occurred + second * (1 + purchase % 2) * 11 * 60 * MINUTE
        row = {
            **self._names("transactions", serial),
            "transactionType": kind,
            "status": {"DECLINE": "DECLINED", "CLEAR": "COMPLETE", "AUTHORIZATION": "APPROVED"}[kind],
            "complete": kind == "CLEAR",
            "isLocked": False,
            "isParent": True,
            **self._reference("users", user, "user"),
            "userName": " ".join(PEOPLE[user]),
            "merchantName": merchant.name,
            **self._reference("budgets", budget, "budget"),
            **self._reference("cards", card, "card"),
            "cardLastFour": f"{4242 + card}",
            "isCredit": False,
            "amount": amount,
            "transactedAmount": amount,
            "fees": Decimal(0) if rate == 1 else (amount / 100).quantize(Decimal("0.01")),
            "currencyData": {
                "exchangeRate": rate,
                "exponent": digits,
                "originalCurrencyAmount": str(int((amount * rate).scaleb(digits))),
                "originalCurrencyCode": merchant.currency,
            },
            "occurredTime": shown(occurred),
            "authorizedTime": shown(occurred),
            "updatedTime": shown(min(updated, CLOSED)),
            "customFields": self._chosen(serial, budget),
            "receipts": [self._receipt(serial)] if second else [],
            "reviewers": [
                {
                    "approverType": "MANAGER",
                    "status": "APPROVED" if kind == "CLEAR" else "WAITING",
                    **self._reference("users", (user + 1 + n) % _RETIRED_USER, "user"),
                }
                for n in range(serial % 3)
            ],
        }
        if kind == "CLEAR":
            row |= self._reference("transactions", serial - 1, "originalAuthTransaction")
            row["reviews"] = self._reviews(serial, row)
            row["accountingIntegrationTransactions"] = [self._passed_on(serial)]
        return row

    def _reviews(self, serial: int, transaction: Row) -> list[Row]:
        """What the reviewers of a settled purchase said; the first of two said no before."""
        reviews = [
            {
                "id": self._id("reviews", 10 * serial + n),
                "isApproved": True,
                "createdTime": transaction["updatedTime"],
                "reviewerId": reviewer["userId"],
                "reviewerUuid": reviewer["userUuid"],
            }
            for n, reviewer in enumerate(transaction["reviewers"])
        ]
        if len(reviews) < 2:
            return reviews
        withdrawn = {"isApproved": False, "note": "Which project?", "deletedTime": transaction["updatedTime"]}
        return [{**reviews[0], "id": self._id("reviews", 10 * serial + 9), **withdrawn}, *reviews]

    def _passed_on(self, serial: int) -> Row:
        """How a settled purchase came into the accounting system."""
        failed = serial % 13 == 1
        return {
            "id": self._id("accounting", serial),
            "billable": False,
            "syncStatus": "ERROR" if failed else "SYNCED",
            "integrationType": "QUICKBOOKS_ONLINE",
            "integrationId": self._id("integrations", 0),
            **({"syncMessage": "Die Periode ist geschlossen."} if failed else {"integrationTxId": f"{100 + serial}"}),
        }

    def _reimbursement(self, serial: int) -> Row:
        """Bought with a member's own money, or driven with the member's own car."""
        submitted = CLOSED - (170 * 24 - serial % 160 * 24) * 60 * MINUTE
        budget = serial % _RETIRED_BUDGET
        users = [user for user in _members(budget) if user != _RETIRED_USER]
        user, mileage, paid = users[serial // _RETIRED_BUDGET % len(users)], serial % 8 == _TRAVEL, serial % 2 == 1
        steps = [("SUBMITTER", user, "READY_TO_PAY"), ("BUDGET_OWNER", budget, "APPROVED"), ("MANAGER", 0, "PAID")]
        merchants = _BUDGETS[budget].merchants
        return {
            **self._names("reimbursements", serial),
            "amount": Decimal(67 * (12 + serial % 140)).scaleb(-2) if mileage else Decimal("18.40") + serial % 160,
            "merchantName": "Mileage" if mileage else merchants[serial % len(merchants)].name,
            "submittedTime": shown(submitted),
            "occurredDate": calendar_day(submitted, -2),
            "retired": serial % 4 == 3,
            "status": "PAID" if paid else "APPROVED",
            "type": "MILEAGE" if mileage else "PURCHASE",
            **self._reference("budgets", budget, "budget"),
            **self._reference("users", user, "user"),
            "statusHistory": [
                {
                    "actorId": self._names("users", actor)["id"],
                    "actorRole": role,
                    "occurredTime": shown(submitted + n * DAY),
                    "status": status,
                }
                for n, (role, actor, status) in enumerate(steps[: 2 + paid])
            ],
            "receipts": [self._receipt(100_000 + serial)],
            "customFields": self._chosen(serial, budget),
        }


def _members(budget: int) -> list[int]:
    """The users who belong to a budget: its owner first, then who holds a card of it."""
    holders = [user for user, of in _CARDS if of == budget]
    return list(dict.fromkeys([budget, *holders]))


def _limit(least: Decimal, spent: Decimal) -> Decimal:
    """A round limit that what was spent stays below."""
    return least * (1 + int(spent // least))
