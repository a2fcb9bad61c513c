"""One organization's API as an ASGI application: which path is answered by what, to whom, and with which errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bill_emulator.company.extras import EXTRAS, Extra
from bill_emulator.company.parts import PARTS, Part
from bill_emulator.company.spend import LISTS as SPEND_LISTS
from bill_emulator.company.spend import NAMES as SPEND_NAMES
from bill_emulator.company.table import Query, sort_key
from bill_emulator.protocol import errors
from bill_emulator.protocol.errors import AnswerError, CodedError, GatewayError, ValidationError
from bill_emulator.protocol.filters import Refusals, parse_query
from bill_emulator.protocol.mid_list import Mark, MidList, Watch
from bill_emulator.protocol.paging import Cursor, Page, Pager, encoded, marked, position, read_cursor
from bill_emulator.protocol.parts import extra_answer, part_answer
from bill_emulator.protocol.responses import error_answer, json_answer
from bill_emulator.protocol.scope import ROOT, TOKEN, TOKEN_PLACES
from bill_emulator.protocol.sign_in import Credentials, SignIn
from bill_emulator.protocol.spend import SpendApi
from bill_emulator.resources import RESOURCES, Resource

if TYPE_CHECKING:
    from bill_emulator.company.company import Company
    from bill_emulator.protocol.edits import People
    from bill_emulator.protocol.limits import Counters
    from bill_emulator.protocol.sessions import SessionBook
    from bill_emulator.protocol.sorting import Sorting
    from bill_emulator.protocol.tokens import TokenBook

_Serve = Callable[[Request], Response]
_Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Behaviour:
    """How the emulator behaves where BILL's behaviour is a matter of setting, permission or guesswork.

    `cursor`: "offset" or "keyset". `refusals`: see `protocol.filters`. `sorting`: see `protocol.sorting`. `quirks`: see
    `protocol.paging.QUIRKS`. `role`: the role of the signed-in user. `forbid`: resources that this role may not read,
    those of `company.parts`, `company.extras` and the lists of Spend & Expense ("cards", ...) too. `spend_quirks`,
    `spend_limit`: see `protocol.spend`. `mid_list`, `cursor_life`: see `protocol.mid_list`.
    """

    cursor: str
    refusals: Refusals
    sorting: Sorting
    quirks: frozenset[str]
    role: str
    forbid: frozenset[str]
    spend_quirks: frozenset[str]
    spend_limit: int
    mid_list: tuple[MidList, ...]
    cursor_life: int


class Api:
    """Answers BILL requests from a company."""

    def __init__(  # noqa: PLR0913 -- what it answers from, how it behaves, and who follows that
        self,
        company: Company,
        sessions: SessionBook,
        tokens: TokenBook,
        credentials: Credentials,
        behaviour: Behaviour,
        *,
        counters: Counters,
        people: People,
    ) -> None:
        unknown = behaviour.forbid - {*RESOURCES, *PARTS, *EXTRAS, *SPEND_LISTS}
        if unknown:
            raise ValueError(f"unknown resource {', '.join(sorted(unknown))}")
        self.company = company
        self._forbid = behaviour.forbid
        self._refusals = behaviour.refusals
        self._sorting = behaviour.sorting
        self._people = people
        known = {*RESOURCES, *PARTS, *EXTRAS, *SPEND_NAMES}
        self._watch = Watch(behaviour.mid_list, behaviour.cursor_life, known)
        self._pager = Pager(behaviour.cursor, behaviour.quirks)
        self.sign_in = SignIn(company, sessions, tokens, credentials, counters=counters, role=behaviour.role)
        self.spend = SpendApi(
            company,
            credentials.spend_api_token,
            tokens=tokens,
            people=people,
            watch=self._watch,
            per_minute=behaviour.spend_limit,
            quirks=behaviour.spend_quirks,
            forbid=behaviour.forbid,
            untimed=behaviour.sorting.untimed,
        )

    def application(self, *more: Route) -> Starlette:
        """The ASGI application, with further routes of the emulator's own."""
        routes = [*self.sign_in.routes(), *self.spend.routes()]
        routes += [self._extra(name, extra) for name, extra in EXTRAS.items()]
        routes += [self._part(name, part) for name, part in PARTS.items()]
        for resource in RESOURCES.values():
            routes += self._resource(resource)
        handlers = {AnswerError: self._on_error, 404: self._on_unknown, 405: self._on_unknown}
        application = Starlette(routes=[*routes, *more], exception_handlers=handlers)
        application.router.redirect_slashes = False
        return application

    # Routes

    def _resource(self, resource: Resource) -> list[Route]:
        serve: dict[str, _Serve] = {
            "list": lambda request: self._list(resource, request),
            "array": lambda _: self._array(resource),
            "single": lambda _: self._found(resource, self.company.organization_id),
        }
        closed = resource.administrators_only and not self.sign_in.is_administrator
        routes = [self._route(resource.path, resource.name, serve[resource.shape], closed=closed)]
        if resource.detail:
            one: _Serve = lambda request: self._found(resource, request.path_params["id"])  # noqa: E731
            routes.append(self._route(resource.detail, resource.name, one))
        return routes

    def _part(self, name: str, part: Part) -> Route:
        """What is asked for once for each record of another resource."""

        def serve(request: Request) -> Response:
            parent = request.path_params["id"]
            answer = part_answer(self.company, name, parent, request.query_params, self._watch)
            if part.shape != "single":
                self._people.after_list(name, parent)
            return answer

        return self._route(part.path, name, serve)

    def _extra(self, name: str, extra: Extra) -> Route:
        """A list that few programs need. Pending approvals are a user's own, which a sync token is not (documented)."""
        closed = extra.administrators_only and not self.sign_in.is_administrator
        users_own = name == "bills_pending_approval" and self.sign_in.credentials.is_sync_token

        def serve(request: Request) -> Response:
            if users_own and not request.scope[TOKEN]:
                raise CodedError(errors.NO_PERMISSION)
            answer = extra_answer(self.company, name, request.query_params, self._watch)
            if extra.records is not None:
                self._people.after_list(name)
            return answer

        return self._route(extra.path, name, serve, closed=closed)

    def _route(self, path: str, name: str, serve: _Serve, *, closed: bool = False) -> Route:
        """Let only those through who are signed in, may read the resource, and ask for their own organization."""

        async def handler(request: Request) -> Response:
            self.sign_in.session(request)
            if name in self._forbid:
                raise CodedError(errors.NO_PERMISSION)
            organization = request.path_params.get("organizationId", self.company.organization_id)
            if organization != self.company.organization_id:
                raise CodedError(errors.NO_RECORD)
            if closed:
                raise CodedError(errors.NO_PERMISSION)
            return serve(request)

        return Route(ROOT + path, handler, methods=["GET"])

    # Data

    def _list(self, resource: Resource, request: Request) -> Response:
        answer = self._page(resource, request)
        self._people.after_list(resource.name)
        return answer

    def _page(self, resource: Resource, request: Request) -> Response:
        parameters = request.query_params
        cursor = read_cursor(resource.name, parameters)
        mark = Mark(cursor.number, cursor.made)
        mark = self._watch.admit(resource.name, mark, in_mid_list="page" in parameters)
        query, ignored = self._query(resource, cursor)
        if resource.name == "bank_account_users" and parameters.get("currentUser") == "true":
            return self._own_bank_accounts()
        with self.company.lock:
            view = self.company.view(resource.name, query)
            page = self._pager.page(view, cursor, descending=query.descending)
        if ignored and self._sorting.share < 1:
            page = self._reordered(page, query, cursor)
        return json_answer(_envelope(marked(page, mark)))

    def _query(self, resource: Resource, cursor: Cursor) -> tuple[Query, bool]:
        """What is asked for, and whether the sort is ignored."""
        sorting, filtered, sorted_ = self._sorting, cursor.filters is not None, cursor.sort is not None
        if sorted_ and sorting.refuses(filtered=filtered, size=cursor.max):
            raise ValidationError(f"sort: {resource.name} cannot be sorted now")
        ignored = sorted_ and sorting.ignores(filtered=filtered, size=cursor.max)
        sort = cursor.sort if sorting.looks(ignored=ignored) else None
        query = parse_query(resource, cursor.filters, sort, self._refusals)
        field, descending = sorting.list_order((query.field, query.descending), ignored=ignored)
        return Query(query.conditions, field, descending), ignored

    def _reordered(self, page: Page, query: Query, cursor: Cursor) -> Page:
        """The same rows, on some pages in another order."""
        order = self._sorting.page_order((query.field, query.descending), position(cursor))
        if order is None:
            return page
        field, descending = order
        return replace(page, rows=sorted(page.rows, key=lambda row: sort_key(row, field), reverse=descending))

    def _own_bank_accounts(self) -> Response:
        """`currentUser=true` (official parameter); never more than a page here."""
        rows = [row for row in self.company.rows("bank_account_users") if row["userId"] == self.sign_in.user_id]
        return json_answer({"results": rows})

    def _array(self, resource: Resource) -> Response:
        rows = self.company.all_stored(resource.name)
        return json_answer(b"[%b]" % b",".join(stored.json() for stored in rows))

    def _found(self, resource: Resource, row_id: str) -> Response:
        stored = self.company.stored(resource.name, row_id)
        if stored is None:
            raise CodedError(errors.NO_RECORD)
        return json_answer(stored.json())

    # Errors

    async def _on_error(self, _request: Request, error: Exception) -> Response:
        if not isinstance(error, AnswerError):
            raise error
        return error_answer(error, self.company.clock)

    async def _on_unknown(self, request: Request, _error: Exception) -> Response:
        """Below `/connect/v3` BILL answers; anything else the gateway refuses with a single object (third-party)."""
        path = request.url.path
        ours = path.startswith(ROOT + "/") or path == TOKEN_PLACES["connect"]
        return error_answer(CodedError(errors.UNKNOWN_PATH) if ours else GatewayError(), self.company.clock)


def _envelope(page: Page) -> bytes:
    """`results` and the cursors; the key of a cursor is absent at the end (observed)."""
    rows = b",".join([stored.json() for stored in page.rows])
    cursors = b"".join(
        b',"%b":"%b"' % (name, encoded(cursor).encode())
        for name, cursor in ((b"nextPage", page.next), (b"prevPage", page.previous))
        if cursor is not None
    )
    return b'{"results":[%b]%b}' % (rows, cursors)
