"""Spend & Expense over HTTP: `/v3/spend/...`, with a token instead of a session.

| behaviour | known from |
| --- | --- |
| `apiToken` header and nothing else | documented |
| a wrong token is 401 `BDC_1109` | assumed; undocumented |
| 60 requests a minute per token | documented |
| more of them are 429 with `Retry-After` | undocumented; read by one client |
| `nextPage`, `max` 1-100 (transactions 1-50), default 20; otherwise 400 | documented; observed |
| unknown parameters are ignored with 200: `page`, `start_date`, `page_size` | observed |
| filters joined by commas; fields without a filter are ignored; a date-time without quotes is 400 | observed; assumed |
| one sort field, from a short list; anything else 400 | documented; assumed |
| sorts refused, ignored, or taken for every field (choose) | undocumented; one client sorts by `updatedTime` |
| budgets without a `retired` filter: none; members, users and others: all | observed once; inferred |
| receipts of transactions only with `includeReceipts=true` | documented |
| a path names a row by its `id` or its `uuid` | documented for reimbursements and cards; assumed for the others |
| default order: the newest first | assumed |
| a cursor is a position in the result as it is now | undocumented |
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from bill_emulator.company.spend import LISTS, PARTS, spend_name
from bill_emulator.protocol import errors
from bill_emulator.protocol.errors import CodedError, ValidationError
from bill_emulator.protocol.mid_list import Mark, Watch
from bill_emulator.protocol.paging import DEFAULT_MAX, LARGEST_MAX, Place, read_max, read_place, shown_place
from bill_emulator.protocol.responses import json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bill_emulator.company.company import Company
    from bill_emulator.company.stored import Row
    from bill_emulator.protocol.edits import People

    Pair = tuple[Row, Row]

ROOT = "/connect/v3/spend"

LARGEST = {"transactions": 50}
"""Rows on a page where it is not 100 (observed)."""

TIME_FILTERS = {"transactions": ("updatedTime", "authorizedTime"), "reimbursements": ("submittedTime",)}
FLAG_FILTERS = {
    "reimbursements": ("retired",),
    "budgets": ("retired",),
    "users": ("retired",),
    "custom-fields": ("retired",),
    "members": ("retired",),
}
SORTS = {
    "transactions": ("amount", "merchantName", "occurredTime"),
    "reimbursements": ("submittedTime", "status", "amount"),
    "cards": ("name", "lastFour", "status"),
    "budgets": ("name",),
    "custom-fields": ("createdTime",),
    "members": ("spent",),
}
QUIRKS = {
    "ignore_filters": "filters have no effect",
    "refuse_filters": "filters are refused with 400",
    "refuse_sort": "sorts are refused with 400",
    "ignore_sort": "sorts have no effect",
    "any_sort": "every field can be sorted by",
    "same_page": "nextPage has no effect, so that the first page comes again and again under the same cursor",
    "fresh_cursors": "the same, each time under a new cursor",
}


class SpendApi:
    """Answers Spend & Expense requests from a company's books."""

    def __init__(  # noqa: PLR0913 -- what it answers from, and how it behaves
        self,
        company: Company,
        token: str,
        *,
        people: People,
        watch: Watch,
        per_minute: int = 60,
        quirks: frozenset[str] = frozenset(),
        forbid: frozenset[str] = frozenset(),
        untimed: str = "first",
    ) -> None:
        if unknown := quirks - QUIRKS.keys():
            raise ValueError(f"unknown quirk {', '.join(sorted(unknown))}; known are {', '.join(QUIRKS)}")
        self._company = company
        self._token = token
        self._people = people
        self._watch = watch
        self._per_minute = per_minute
        self._quirks = quirks
        self._forbid = forbid
        self._untimed = untimed
        self._served: deque[Any] = deque()
        self._pages = 0
        self.refused = 0
        self.card_numbers = 0

    def routes(self) -> list[Route]:
        """The routes below `/v3/spend`."""
        return [
            self._route("/users/current", self._current),
            self._route("/cards/{id}/pan-jwt", self._card_number),
            *(self._route(f"/{name}", self._listed(name)) for name in LISTS if name not in PARTS),
            *(self._route(path, self._part(name)) for name, path in PARTS.items()),
        ]

    def _route(self, path: str, serve: Callable[[Request], Response]) -> Route:
        async def handler(request: Request) -> Response:
            if not self._token or request.headers.get("apiToken") != self._token:
                raise CodedError(errors.NO_SESSION)
            if wait := self._wait():
                self.refused += 1
                return json_answer({"message": "Too many requests"}, 429, {"Retry-After": str(wait)})
            return serve(request)

        return Route(ROOT + path, handler, methods=["GET"])

    def _wait(self) -> int:
        """Seconds until another request is served; 0 counts this one."""
        now = self._company.clock.now()
        while self._served and self._served[0] <= now - timedelta(seconds=60):
            self._served.popleft()
        if self._per_minute and len(self._served) >= self._per_minute:
            return 1 + int((self._served[0] + timedelta(seconds=60) - now).total_seconds())
        self._served.append(now)
        return 0

    def _current(self, _: Request) -> Response:
        return json_answer(self._company.spend.rows("users")[0])

    def _card_number(self, _: Request) -> Response:
        self.card_numbers += 1
        return json_answer({"token": "4111111111111111"})

    def _listed(self, name: str) -> Callable[[Request], Response]:
        def serve(request: Request) -> Response:
            if name in self._forbid:
                raise CodedError(errors.NO_PERMISSION)
            rows = self._company.spend.pairs(name)[::-1]
            if name == "transactions" and request.query_params.get("includeReceipts") != "true":
                for sent, _ in rows:
                    sent.pop("receipts", None)
            if name == "budgets" and "retired:" not in request.query_params.get("filters", ""):
                rows = []
            return self._page(name, rows, request.query_params)

        return serve

    def _part(self, name: str) -> Callable[[Request], Response]:
        def serve(request: Request) -> Response:
            if name in self._forbid:
                raise CodedError(errors.NO_PERMISSION)
            parent = request.path_params["id"]
            try:
                rows = [(row, row) for row in self._company.spend.below(name, parent)]
            except KeyError:
                raise CodedError(errors.NO_RECORD) from None
            return self._page(name, rows, request.query_params, parent)

        return serve

    def _page(self, name: str, rows: list[Pair], parameters: Mapping[str, str], parent: str = "") -> Response:
        largest = LARGEST.get(name, LARGEST_MAX)
        size = read_max(parameters.get("max")) or min(DEFAULT_MAX, largest)
        if size > largest:
            raise ValidationError(f"max: must be a number from 1 to {largest}")
        if filters := parameters.get("filters"):
            if "refuse_filters" in self._quirks:
                raise ValidationError("filters: not accepted")
            if "ignore_filters" not in self._quirks:
                conditions = _conditions(name, filters)
                rows = [pair for pair in rows if all(holds(pair[1]) for holds in conditions)]
        if sort := parameters.get("sort"):
            self._sort(name, rows, sort)
        self._pages += 1
        place = read_place(parameters, "nextPage")
        in_mid_list = bool(parameters.get("nextPage"))
        mark = self._watch.admit(spend_name(name), Mark(place.number, place.made), in_mid_list=in_mid_list)
        start = 0 if self._quirks & {"same_page", "fresh_cursors"} else place.offset
        end = start + size
        again = self._pages if "fresh_cursors" in self._quirks else 0
        cursor = {"nextPage": shown_place(Place(end, again, *mark))} if end < len(rows) else {}
        answer = json_answer({"results": [sent for sent, _ in rows[start:end]], **cursor})
        self._people.after_list(spend_name(name), parent)
        return answer

    def _sort(self, name: str, rows: list[Pair], sort: str) -> None:
        if "ignore_sort" in self._quirks:
            return
        field, _, direction = sort.partition(":")
        known = field in SORTS.get(name, ()) or "any_sort" in self._quirks
        if "refuse_sort" in self._quirks or not known or direction not in ("asc", "desc"):
            raise ValidationError(f"sort: {field} cannot be sorted by")
        last = self._untimed == "last"
        rows.sort(key=lambda pair: ((field in pair[1]) != last, pair[1].get(field)), reverse=direction == "desc")


def _conditions(name: str, filters: str) -> list[Callable[[Row], bool]]:
    """What the filters ask for; those that nobody knows ask for nothing."""
    found: list[Callable[[Row], bool]] = []
    for term in filters.split(","):
        field, _, rest = term.partition(":")
        operator, _, value = rest.partition(":")
        if field in TIME_FILTERS.get(name, ()) and operator in ("gte", "lte"):
            if ":" in value and not (value.startswith('"') and value.endswith('"')):
                raise ValidationError(f"filters: {field} is not valid")
            found.append(_time_condition(field, operator, value.strip('"')))
        elif field in FLAG_FILTERS.get(name, ()) and operator == "eq":
            found.append(lambda row, field=field, wanted=value == "true": bool(row.get(field)) is wanted)  # type: ignore[misc]
    return found


def _time_condition(field: str, operator: str, value: str) -> Callable[[Row], bool]:
    bound = value.replace("Z", "+00:00")
    if operator == "gte":
        return lambda row: field in row and row[field] >= bound
    return lambda row: field in row and row[field] <= bound
