"""A BILL in memory whose records change each other, and a warehouse that a run of the tap fills.

Paying a bill lowers what its vendor is owed. Whether that moves the `updatedTime` of bill and vendor is a switch,
because nobody has written down what BILL does.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import adversary
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

import tap_bill.tap
from tap_bill.api.errors import BillError
from tap_bill.resources import RESOURCES
from tap_bill.sync.times import parse

START = datetime(2026, 1, 1, tzinfo=UTC)

PAYABLE = SimpleNamespace(
    parties="vendors",
    party="vendorId",
    debts="bills",
    debt="billId",
    payments="payments",
    shares="billPayments",
    credits="vendor_credits",
)
RECEIVABLE = SimpleNamespace(
    parties="customers",
    party="customerId",
    debts="invoices",
    debt="invoiceId",
    payments="receivable_payments",
    shares="invoicePayments",
    credits="credit_memos",
)
SIDES = (PAYABLE, RECEIVABLE)
NAMES = [name for side in SIDES for name in (side.parties, side.debts, side.credits, side.payments)]
PATHS = {f"/connect{resource.path}": resource.name for resource in RESOURCES if resource.name in NAMES}
TERM = re.compile(r'(\w+):(\w+):"([^"]*)"')


class Books(BaseAdapter):
    """The server: books that add up, and what people do in them between two answers."""

    def __init__(self, seed=0, *, moves_related=False, page_size=100, sides=SIDES):
        super().__init__()
        self.chance = random.Random(seed)
        self.moves_related = moves_related
        self.page_size = page_size
        self.sides = sides
        self.now = START
        self.rows = {name: {} for name in NAMES}
        self.asked = []
        self.mischief = 0.0
        self.untimed = set()  # lists that refuse filters by time
        self.refuse = {}  # by list: the status of requests by id, or "ignore"

    # What people do

    def add(self, name, /, **fields):
        key = f"{NAMES.index(name):03}x{len(self.rows[name]):05}"
        self.rows[name][key] = {"id": key, "created": self.now, "updated": self.now, **fields}
        return key

    def touch(self, name, key, /, **fields):
        self.rows[name][key] |= fields

    def change(self, name, key, /, **fields):
        """Change what belongs to another record that somebody edits."""
        self.touch(name, key, **fields)
        if self.moves_related:
            self.touch(name, key, updated=self.now)

    def party(self, side):
        return self.add(side.parties, name="party", balance={"amount": 0})

    def owe(self, side, party, amount=1000):
        """Enter a bill or an invoice."""
        key = self.add(side.debts, **{side.party: party}, dueAmount=amount)
        lines = "billLineItems" if side is PAYABLE else "invoiceLineItems"
        self.touch(side.debts, key, **{lines: [{"id": f"{key}-1", "amount": amount}]})
        self.balance(side, party, amount)
        return key

    def balance(self, side, party, amount):
        row = self.rows[side.parties][party]
        self.change(side.parties, party, balance={"amount": row["balance"]["amount"] + amount})

    def settle(self, side, key, amount):
        row = self.rows[side.debts][key]
        self.change(side.debts, key, dueAmount=row["dueAmount"] - amount)
        self.balance(side, row[side.party], -amount)

    def pay(self, side, keys, amount=100):
        """Pay something on debts of one party."""
        party = self.rows[side.debts][keys[0]][side.party]
        shares = [{side.debt: key, "amount": amount} for key in keys]
        payment = self.add(side.payments, **{side.party: party, side.shares: shares}, amount=amount * len(keys))
        for key in keys:
            self.settle(side, key, amount)
        return payment

    def credit(self, side, key, amount=10):
        """Give a credit, and use it for a debt."""
        party = self.rows[side.debts][key][side.party]
        usage = [{side.debt: key, "amount": amount}]
        self.add(side.credits, **{side.party: party}, amount=amount, appliedAmount=amount, usage=usage)
        self.settle(side, key, amount)

    def pay_with_credit(self, side, key, amount=10):
        """Pay with a credit that was given before."""
        party = self.rows[side.debts][key][side.party]
        credit = self.add(side.credits, **{side.party: party}, amount=amount, appliedAmount=0, usage=[])
        self.tick()
        share = {side.debt: key, "amount": 0, "vendorCredits": [{"id": credit, "amount": amount}]}
        self.add(side.payments, **{side.party: party, side.shares: [share]})
        self.change(side.credits, credit, appliedAmount=amount)
        self.settle(side, key, amount)

    def edit(self, side, key):
        row = self.rows[side.debts][key]
        self.touch(side.debts, key, updated=self.now, dueAmount=row["dueAmount"] + 5)
        self.balance(side, row[side.party], 5)

    def tick(self, seconds=None):
        self.now += timedelta(seconds=seconds or self.chance.choice([0.2, 1, 1, 3, 20]))

    def work(self, times=1):
        """Let people do anything."""
        for _ in range(times):
            side = self.chance.choice(self.sides)
            party = self.chance.choice(list(self.rows[side.parties]))
            open_ = [key for key, row in self.rows[side.debts].items() if row[side.party] == party]
            some = self.chance.sample(open_, min(len(open_), self.chance.randrange(1, 4)))
            self.tick()
            match self.chance.choice(["owe", "pay", "pay", "credit", "edit", "void", "with"]):
                case "owe":
                    self.owe(side, party)
                case "pay" if some:
                    self.pay(side, some)
                case "credit" if some:
                    self.credit(side, some[0])
                case "edit" if some:
                    self.edit(side, some[0])
                case "void" if self.rows[side.payments]:
                    self.void(side, self.chance.choice(list(self.rows[side.payments])))
                case "with" if some and side is PAYABLE:
                    self.pay_with_credit(side, some[0])

    def void(self, side, payment):
        row = self.rows[side.payments][payment]
        if row.get("status") != "VOID":
            self.touch(side.payments, payment, updated=self.now, status="VOID")
            for share in row[side.shares]:
                self.settle(side, share[side.debt], -share["amount"])

    # Answers

    def close(self):
        pass

    def send(self, request, **_):
        url = urlsplit(request.url)
        if url.path not in PATHS:
            login = {"sessionId": "s", "organizationId": adversary.ORGANIZATION, "userId": "006", "trusted": False}
            return self.respond(200, None if url.path.endswith("logout") else login, request)
        while self.chance.random() < self.mischief:
            self.work()
        query = dict(parse_qsl(url.query))
        self.asked.append((PATHS[url.path], query))
        status, body = self.answer(PATHS[url.path], query)
        return self.respond(status, body, request)

    def respond(self, status, body, request):
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url
        response._content = b"" if body is None else json.dumps(body).encode()
        date = format_datetime(self.now.replace(microsecond=0), usegmt=True)
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json", "Date": date})
        return response

    def answer(self, name, query):
        terms = TERM.findall(query.get("filters", ""))
        if terms and terms[0][0] == "id" and (how := self.refuse.get(name)):
            if how != "ignore":
                return how, [{"code": "BDC_1302" if how == 403 else "BDC_0000", "message": "not accepted"}]
            terms = []
        if name in self.untimed and terms:
            return 400, [{"message": "not accepted"}]
        rows = [row for row in self.rows[name].values() if all(holds(row, *term) for term in terms)]
        rows.sort(key=lambda row: (row["created"], row["id"]), reverse=query.get("sort", "").endswith("desc"))
        start = int(query.get("page", 0))
        end = start + int(query["max"])
        body = {"results": [shown(row) for row in rows[start:end]]}
        return 200, body | ({"nextPage": str(end)} if end < len(rows) else {})

    def by_id(self):
        """How many requests by id each list got, and for how many ids."""
        found = {}
        for name, query in self.asked:
            for field, operator, value in TERM.findall(query.get("filters", "")):
                if (field, operator) == ("id", "in"):
                    found.setdefault(name, []).append(len(value.split(",")))
        return found


def holds(row, field, operator, value):
    if field == "id":
        return row["id"] in value.split(",")
    stored = row[{"createdTime": "created", "updatedTime": "updated"}[field]]
    return stored >= parse(value) if operator == "gte" else stored < parse(value)


def shown(row):
    """A row as BILL shows it."""
    times = {f"{name}Time": f"{row[name]:%Y-%m-%dT%H:%M:%S}.000+00:00" for name in ("created", "updated")}
    return {name: value for name, value in row.items() if name not in {"created", "updated"}} | times


class Warehouse:
    """What a target makes of messages: a row per key, and the last state."""

    def __init__(self, lines=(), state=None):
        self.tables = {name: {} for name in NAMES}
        self.received = Counter()
        self.state = state or {}
        self.load(lines)

    def load(self, lines):
        for line in lines:
            message = json.loads(line)
            if message["type"] == "RECORD":
                record = {name: value for name, value in message["record"].items() if name != "organizationId"}
                self.tables.setdefault(message["stream"], {})[record.get("id", line)] = record
                self.received[message["stream"]] += 1
            elif message["type"] == "STATE":
                self.state = message["value"]

    def entry(self, name):
        (entry,) = self.state["bookmarks"][name]["partitions"]
        return entry

    def stale(self, books):
        """Where the tables are not as BILL's lists are."""
        return {
            (name, key): (self.tables[name].get(key), shown(row))
            for name in NAMES
            for key, row in books.rows[name].items()
            if self.tables[name].get(key) != shown(row)
        }


def run(books, state, *, catalog=None, **settings):
    """Run the tap; returns the lines that it wrote, its log is the caller's, and the error that ended it."""
    output = adversary.Output()
    settings = {**adversary.SETTINGS, "page_size": books.page_size, "max_concurrency": 3, **settings}
    state = json.loads(json.dumps(state))
    tap = tap_bill.tap.TapBill(config=settings, state=state, catalog=catalog, message_writer=output)
    tap.context.client._transport._http.mount("http://", books)
    vars(tap.context)["reader"] = adversary.Steps(
        tap.context.client, limit=settings["max_concurrency"], check=lambda: None, chance=books.chance
    )
    books.asked.clear()
    error = None
    try:
        tap.run()
    except BillError as problem:
        error = problem
    return output.kept.getvalue().splitlines(), error


def only_these(monkeypatch):
    """Let the tap know these resources alone, so that a run takes a few milliseconds, and let no retry take time."""
    monkeypatch.setattr(tap_bill.tap, "RESOURCES", [r for r in RESOURCES if r.name in NAMES])
    monkeypatch.setattr(tap_bill.api.requester.random, "uniform", lambda *_: 0.0)
