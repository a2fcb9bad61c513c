"""A BILL in memory that misbehaves as it likes, and a way to run the whole tap against it, one step at a time.

Everything of the tap is real but its threads and its network: requests that are under way at the same time are
answered in an order that chance decides, so that a history can be repeated from its seed. A kill is what a target
sees of it: the output ends somewhere.
"""

from __future__ import annotations

import copy
import io
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

import tap_bill.api.requester
import tap_bill.tap
from tap_bill.api.errors import BillError
from tap_bill.resources import RESOURCES
from tap_bill.singer.writer import PageWriter
from tap_bill.sync.reader import Reader
from tap_bill.sync.times import parse

if TYPE_CHECKING:
    import random

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {"createdTime": "created", "updatedTime": "updated"}
ORGANIZATION = "00801TAPBILLFIXTURE1"
SETTINGS = {
    "username": "token",
    "password": "value",
    "dev_key": "01KEY",
    "organization_id": ORGANIZATION,
    "api_url": "http://127.0.0.1:1/connect",
    "max_retries": 1,
}


@dataclass
class Ways:
    """How this BILL behaves; the first value of each comment is how BILL is documented to."""

    sort: str = "kept"  # kept, ignored, refused: always, with_filter, without_filter, descending
    sort_when: str = "always"
    order: str = "id"  # the order without a sort: id, added, newest_change, oldest_change, shuffled
    created_filter: str = "kept"  # kept, ignored, refused
    updated_filter: str = "kept"
    cursors: str = "offset"  # offset, keyset
    cursor_refused: str = "never"  # never, once, often, always
    created_time: str = "shown"  # shown, missing, null, number, absurd: for every seventh row
    updated_time: str = "shown"
    nulls: str = "first"  # where rows without a stored createdTime stand in ascending order
    forbidden: str = "never"  # never, once, always: 403 for a page that is not the first
    date: str = "told"  # told, missing
    deletes: bool = True
    mischief: float = 0.7  # how likely something changes before an answer


def bounds(term):
    """One term of a filter: the field, the operator, and the instant that it names."""
    name, operator, value = term.split(":", 2)
    return name, operator, parse(value.strip('"'))


@dataclass
class World(BaseAdapter):
    """The server: rows, a clock, and what happens between two answers."""

    chance: random.Random
    ways: Ways
    page_size: int
    now: datetime = START + timedelta(seconds=1000)
    rows: dict = field(default_factory=dict)
    added: int = 0
    asked: list = field(default_factory=list)
    is_quiet: bool = False
    cursors_refused: int = 0
    forbidden: int = 0

    def __post_init__(self):
        super().__init__()

    def add(self, created=None):
        self.added += 1
        key = f"00n{self.chance.randrange(10**9):09}{self.added:04}"
        odd = self.added % 7 == 0
        self.rows[key] = {
            "number": self.added,
            "created": created or self.now,
            "updated": max(created or self.now, START),
            "version": 0,
            "created_time": self.ways.created_time if odd else "shown",
            "updated_time": self.ways.updated_time if odd else "shown",
        }

    def edit(self):
        row = self.rows[self.chance.choice(list(self.rows))]
        row["version"] += 1
        row["updated"] = self.now

    def delete(self):
        if self.ways.deletes and len(self.rows) > 1:
            del self.rows[self.chance.choice(list(self.rows))]

    def tick(self):
        self.now += timedelta(seconds=self.chance.choice([0.2, 1, 1, 3]))

    def be_quiet(self):
        """Let nothing happen any more, and a little time pass."""
        self.is_quiet = True
        self.now += timedelta(seconds=2)

    def disturb(self):
        while not self.is_quiet and self.chance.random() < self.ways.mischief:
            self.chance.choice([self.tick, self.edit, self.edit, self.add, self.delete, self.delete])()

    def close(self):
        pass

    # Answers

    def send(self, request, **_):
        url = urlsplit(request.url)
        path = url.path.removeprefix("/connect")
        if path == "/v3/login":
            login = {"sessionId": "s", "organizationId": ORGANIZATION, "userId": "006", "trusted": False}
            return self.respond(200, login, request)
        if path == "/v3/logout":
            return self.respond(200, None, request)
        query = dict(parse_qsl(url.query))
        self.disturb()
        self.asked.append(query)
        return self.respond(*self.answer(query), request)

    def respond(self, status, body, request):
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url
        response._content = b"" if body is None else json.dumps(body).encode()
        date = (
            {}
            if self.ways.date == "missing"
            else {"Date": format_datetime(self.now.replace(microsecond=0), usegmt=True)}
        )
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json", **date})
        return response

    def answer(self, query):
        refused = 400, [{"severity": "ERROR", "message": "not accepted"}]
        terms = [bounds(term) for term in query.get("filters", "").split(",") if term]
        sort = self.applies(query.get("sort", ""), bool(terms))
        if sort == "refused" or any(getattr(self.ways, f"{NAMES[name]}_filter") == "refused" for name, *_ in terms):
            return refused
        if page := query.get("page"):
            if self.is_forbidden():
                return 403, [{"code": "BDC_1302", "message": "The user's role may not do this."}]
            if self.is_cursor_refused():
                return refused
            kind, position = json.loads(page)
        else:
            kind, position = None, None
        rows = self.selected(terms, query.get("sort", "") if sort == "kept" else "")
        start = 0
        if kind == "offset":
            start = position
        elif kind == "keyset":
            start = next((place + 1 for place, (_, key) in enumerate(rows) if key == position), None)
            if start is None:  # the row that it names is gone: the next one in the order that it stood in
                return refused
        end = start + int(query["max"])
        answer = {"results": [self.shown(key) for _, key in rows[start:end]]}
        if end < len(rows):
            answer["nextPage"] = json.dumps(
                ["offset", end] if self.ways.cursors == "offset" else ["keyset", rows[end - 1][1]]
            )
        return 200, answer

    def applies(self, sort, has_filter):
        """Whether a sort is kept, ignored or refused."""
        when = self.ways.sort_when
        fits = (
            when == "always"
            or (when == "with_filter" and has_filter)
            or (when == "without_filter" and not has_filter)
            or (when == "descending" and sort.endswith("desc"))
        )
        return self.ways.sort if sort and fits else "kept"

    def is_forbidden(self):
        self.forbidden += 1
        return self.ways.forbidden == "always" or (self.ways.forbidden == "once" and self.forbidden == 1)

    def is_cursor_refused(self):
        self.cursors_refused += 1
        number, how = self.cursors_refused, self.ways.cursor_refused
        return how == "always" or (how == "once" and number == 2) or (how == "often" and number % 5 == 0)

    def selected(self, terms, sort):
        chosen = []
        for key, row in self.rows.items():
            has_created = row["created_time"] not in {"missing", "null"}
            stored = {"createdTime": row["created"] if has_created else None, "updatedTime": row["updated"]}
            if not all(self.holds(stored[name], name, operator, bound) for name, operator, bound in terms):
                continue
            if sort:
                null = stored["createdTime"] is None
                place = (null if self.ways.nulls == "last" else not null, stored["createdTime"] or START)
            else:
                changed = row["updated"].timestamp()
                places = {"id": key, "added": row["number"], "newest_change": -changed, "oldest_change": changed}
                place = places.get(self.ways.order) or self.chance.random()
            chosen.append(((place, key), key))
        chosen.sort(reverse=sort.endswith("desc"))
        return chosen

    def holds(self, stored, name, operator, bound):
        if getattr(self.ways, f"{NAMES[name]}_filter") == "ignored":
            return True
        if stored is None:
            return False
        return stored >= bound if operator == "gte" else stored < bound

    def shown(self, key):
        """A row as BILL shows it: in whole seconds, or in whatever way it has."""
        row = self.rows[key]
        shown = {"id": key, "description": f"version {row['version']}"}
        for name, kept in NAMES.items():
            text = f"{row[kept]:%Y-%m-%dT%H:%M:%S}.000+00:00"
            match row["created_time" if kept == "created" else "updated_time"]:
                case "shown":
                    shown[name] = text
                case "null":
                    shown[name] = None
                case "number":
                    shown[name] = int(row[kept].timestamp() * 1000)
                case "absurd":
                    shown[name] = "9999-12-31T23:59:59.999-12:00"
        return shown


class Steps(Reader):
    """The reader with its requests answered one after the other, in an order that chance decides."""

    def __init__(self, *args, chance, **options):
        super().__init__(*args, **options)
        self._chance = chance
        self._sent = []

    def _dispatch(self, request):
        self._sent.append(request)

    def _wait(self):
        """Waiting is when requests are answered: one, or some that are written later."""
        for _ in range(self._chance.randrange(1, 4)):
            if self._sent:
                self._answer(self._sent.pop(self._chance.randrange(len(self._sent))))

    def _answer(self, request):
        try:
            answer = self._ask(request)
        except Exception as error:  # noqa: BLE001 - as a worker does it
            answer = error
        self._take(request, answer)
        self._send()


class Output(PageWriter):
    """Keeps what the tap writes."""

    def __init__(self):
        super().__init__()
        self.kept = io.BytesIO()

    def flush(self):
        self.kept.write(self._buffer)
        self._buffer.clear()


class Pipeline:
    """The tap and a warehouse: runs, kills, and what is in the table afterwards."""

    def __init__(self, world, **settings):
        self.world = world
        self.settings = {**SETTINGS, "page_size": world.page_size, **settings}
        self.table = {}
        self.written_at = {}
        self.read_whole_at = ""
        self.state = {}
        self.log = []

    def run(self, *, kill=None):
        """Run the tap; returns whether it ended well. `kill`, from 0 to 1, is where its output ends."""
        output = Output()
        tap = tap_bill.tap.TapBill(config=self.settings, state=copy.deepcopy(self.state), message_writer=output)
        tap.context.client._transport._http.mount("http://", self.world)
        vars(tap.context)["reader"] = Steps(
            tap.context.client, limit=self.settings["max_concurrency"], check=lambda: None, chance=self.world.chance
        )
        error = None
        try:
            tap.run()
        except BillError as problem:
            error = problem
        lines = output.kept.getvalue().splitlines()
        if kill is not None:
            lines = lines[: int(kill * len(lines))]
        for line in lines:
            message = json.loads(line)
            if message["type"] == "RECORD" and message["stream"] == "sync_audit":
                if message["record"]["stream"] == "bills":
                    self.read_whole_at = max(self.read_whole_at, message["record"]["startedAt"])
            elif message["type"] == "RECORD":
                self.table[message["record"]["id"]] = message["record"]["description"]
                self.written_at[message["record"]["id"]] = message["time_extracted"]
            elif message["type"] == "STATE":
                self.state = message["value"]
        self.log.append((error.message if error else "fine", kill, len(lines), self.bookmark))
        return error is None and kill is None

    @property
    def _entry(self):
        (entry,) = self.state.get("bookmarks", {}).get("bills", {}).get("partitions") or [{}]
        return entry

    @property
    def bookmark(self):
        return self._entry.get("replication_key_value")

    @property
    def is_interrupted(self):
        return "pass" in self._entry

    def deleted(self):
        """Rows of the table that BILL has deleted, as the warehouse tells it by `sync_audit`."""
        whole = datetime.fromisoformat(self.read_whole_at) if self.read_whole_at else None
        return {key for key, time in self.written_at.items() if whole and datetime.fromisoformat(time) < whole}

    def missing(self):
        """Rows of BILL that the table has not, or not as they are now."""
        return {key for key, row in self.world.rows.items() if self.table.get(key) != f"version {row['version']}"}


def only_bills(monkeypatch, **changes):
    """Let the tap know one resource, so that a run takes a few milliseconds, and let no retry take time."""
    monkeypatch.setattr(tap_bill.tap, "RESOURCES", [replace(r, **changes) for r in RESOURCES if r.name == "bills"])
    monkeypatch.setattr(tap_bill.api.requester.random, "uniform", lambda *_: 0.0)
