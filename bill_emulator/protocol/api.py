"""The HTTP side: paths, headers, sign-in and answers, as an ASGI application without a server.

Everything of BILL's lives below `/connect/v3`; `/control` is the emulator's own (see `protocol.control`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bill_emulator.company.parts import EXTRAS, PARTS, Extra, Part
from bill_emulator.company.table import sort_key
from bill_emulator.protocol import errors
from bill_emulator.protocol.errors import AnswerError, CodedError, GatewayError, ValidationError
from bill_emulator.protocol.filters import NO_REFUSALS, Query, Refusals, parse_query
from bill_emulator.protocol.mid_list import Mark, MidList, Watch
from bill_emulator.protocol.paging import Cursor, Page, Pager, encoded, marked, position, read_cursor
from bill_emulator.protocol.parts import extra_answer, part_answer
from bill_emulator.protocol.responses import json_answer
from bill_emulator.protocol.sorting import IN_ORDER, Sorting
from bill_emulator.protocol.spend import LISTS as SPEND_LISTS
from bill_emulator.protocol.spend import NAMES as SPEND_NAMES
from bill_emulator.protocol.spend import SpendApi
from bill_emulator.resources import RESOURCES, Resource
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from bill_emulator.company.company import Company
    from bill_emulator.protocol.edits import People
    from bill_emulator.protocol.limits import Counters
    from bill_emulator.protocol.sessions import Session, SessionBook

Handler = Callable[[Request], Awaitable[Response]]

ROOT = "/connect/v3"
_SECRET_FIELDS = ("password", "consoleApiToken")
"""One of them goes with every login (documented)."""


@dataclass(frozen=True)
class Credentials:
    """What a program must know to sign in, and whether that is a sync token. The default values are invented."""

    username: str = "sync-token-demo"
    password: str = field(default="demo-token-value", repr=False)
    dev_key: str = field(default="01DEMODEVKEY0000EMULATOR", repr=False)
    console_api_token: str = field(default="", repr=False)
    spend_api_token: str = field(default="demo-spend-token", repr=False)
    is_sync_token: bool = True


@dataclass(frozen=True)
class Behaviour:
    """How the emulator behaves where BILL's behaviour is a matter of setting, permission or guesswork.

    `cursor`: "offset" or "keyset". `refusals`: see `protocol.filters`. `sorting`: see `protocol.sorting`.
    `quirks`: see `protocol.paging.QUIRKS`. `role`: the role
    of the signed-in user. `forbid`: resources that this role may not read, those of `company.parts` and
    the lists of Spend & Expense ("cards", ...) too. `spend_quirks`, `spend_limit`: see `protocol.spend`.
    `mid_list`, `cursor_life`: see `protocol.mid_list`.
    """

    cursor: str = "offset"
    refusals: Refusals = NO_REFUSALS
    sorting: Sorting = IN_ORDER
    quirks: frozenset[str] = frozenset()
    role: str = "ADMINISTRATOR"
    forbid: frozenset[str] = frozenset()
    spend_quirks: frozenset[str] = frozenset()
    spend_limit: int = 60
    mid_list: tuple[MidList, ...] = ()
    cursor_life: int = 0


class Api:
    """Answers BILL requests from a company."""

    def __init__(  # noqa: PLR0913 -- what it answers from, how it behaves, and who follows that
        self,
        company: Company,
        sessions: SessionBook,
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
        self.sessions = sessions
        self.credentials = credentials
        self.behaviour = behaviour
        self.counters = counters
        self._people = people
        known = {*RESOURCES, *PARTS, *EXTRAS, *SPEND_NAMES}
        self._watch = Watch(behaviour.mid_list, behaviour.cursor_life, known)
        self.spend = SpendApi(
            company,
            credentials.spend_api_token,
            people=people,
            watch=self._watch,
            per_minute=behaviour.spend_limit,
            quirks=behaviour.spend_quirks,
            forbid=behaviour.forbid,
            untimed=behaviour.sorting.untimed,
        )
        self.pager = Pager(behaviour.cursor, behaviour.quirks)
        self.logins = 0
        users = {user["role"]["type"]: user["id"] for user in company.rows("users")}
        if behaviour.role not in users:
            raise ValueError(f"unknown role {behaviour.role}; known are {', '.join(users)}")
        self.user_id: str = users[behaviour.role]

    def application(self, *more: Route) -> Starlette:
        """The ASGI application, with further routes of the emulator's own."""
        routes = [
            Route(ROOT + "/login", self.login, methods=["POST"]),
            Route(ROOT + "/logout", self.logout, methods=["POST"]),
            Route(ROOT + "/login/session", self.session, methods=["GET"]),
        ]
        routes += self.spend.routes()
        routes += [self._extra(name, extra) for name, extra in EXTRAS.items()]
        routes += [self._part(name, part) for name, part in PARTS.items()]
        for resource in RESOURCES.values():
            serve = {"list": self._list, "array": self._array, "single": self._single}[resource.shape]
            routes.append(Route(ROOT + resource.path, self._guarded(resource, serve), methods=["GET"]))
            if resource.detail:
                routes.append(Route(ROOT + resource.detail, self._guarded(resource, self._detail), methods=["GET"]))
        application = Starlette(
            routes=[*routes, *more],
            exception_handlers={
                AnswerError: self._on_error,
                404: self._on_unknown,
                405: self._on_unknown,
            },
        )
        application.router.redirect_slashes = False
        return application

    # Sign-in

    async def login(self, request: Request) -> Response:
        """`POST /v3/login`: the developer key counts only in the body (observed)."""
        try:
            body = msgspec.json.decode(await request.body())
        except msgspec.DecodeError:
            raise ValidationError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise ValidationError("the body is not a JSON object")
        secret = next((name for name in _SECRET_FIELDS if body.get(name) is not None), _SECRET_FIELDS[0])
        fields = ("username", secret, "organizationId", "devKey")
        absent = [f"{name}: must not be null" for name in fields if body.get(name) is None]
        wrong = [f"{name}: must be text" for name in fields if not isinstance(body.get(name, ""), str)]
        if absent or wrong:
            raise ValidationError(*absent, *wrong)
        if body["devKey"] != self.credentials.dev_key:
            raise CodedError(errors.WRONG_KEY)
        known = {"password": self.credentials.password, "consoleApiToken": self.credentials.console_api_token}
        if not known[secret] or (body["username"], body[secret]) != (self.credentials.username, known[secret]):
            raise CodedError(errors.WRONG_PASSWORD)
        if body["organizationId"] != self.company.organization_id:
            raise CodedError(errors.NO_API_ACCESS)
        self.logins += 1
        self.counters.logins += 1
        answer = {
            "sessionId": self.sessions.open(self.user_id, body["devKey"], self.company.organization_id),
            "organizationId": self.company.organization_id,
            "userId": self.user_id,
            "trusted": bool(body.get("rememberMeId") and body.get("device")),
        }
        return json_answer(answer)

    async def logout(self, request: Request) -> Response:
        """`POST /v3/logout`: 200, empty body (official)."""
        self._signed_in(request)
        self.sessions.close(request.headers["sessionId"])
        return Response()

    async def session(self, request: Request) -> Response:
        """`GET /v3/login/session` (official example)."""
        session = self._signed_in(request)
        answer = {
            "organizationId": self.company.organization_id,
            "userId": session.user_id,
            "mfaStatus": "DISABLED",
            "mfaBypass": True,
        }
        return json_answer(answer)

    def _signed_in(self, request: Request) -> Session:
        session = self.sessions.find(request.headers.get("sessionId"))
        if session is None:
            raise CodedError(errors.NO_SESSION)
        if request.headers.get("devKey") != session.dev_key:
            raise CodedError(errors.WRONG_KEY)
        self.sessions.touch(session)
        return session

    def _part(self, name: str, part: Part) -> Route:
        """What is asked for once for each record of another resource."""

        async def handler(request: Request) -> Response:
            self._allowed(request, name)
            parent = request.path_params["id"]
            answer = part_answer(self.company, name, parent, request.query_params, self._watch)
            if part.shape != "single":
                self._people.after_list(name, parent)
            return answer

        return Route(ROOT + part.path, handler, methods=["GET"])

    def _extra(self, name: str, extra: Extra) -> Route:
        """A list that few programs need. Pending approvals are a user's own, which a token is not (documented)."""
        closed = (extra.administrators_only and self.behaviour.role != "ADMINISTRATOR") or (
            name == "bills_pending_approval" and self.credentials.is_sync_token
        )

        async def handler(request: Request) -> Response:
            self._allowed(request, name)
            if closed:
                raise CodedError(errors.NO_PERMISSION)
            answer = extra_answer(self.company, name, request.query_params, self._watch)
            if extra.records is not None:
                self._people.after_list(name)
            return answer

        return Route(ROOT + extra.path, handler, methods=["GET"])

    def _allowed(self, request: Request, name: str) -> None:
        self._signed_in(request)
        if name in self.behaviour.forbid:
            raise CodedError(errors.NO_PERMISSION)
        organization = request.path_params.get("organizationId", self.company.organization_id)
        if organization != self.company.organization_id:
            raise CodedError(errors.NO_RECORD)

    def _guarded(self, resource: Resource, serve: Callable[[Resource, Request], Response]) -> Handler:
        """Let only those through who are signed in, may read the resource, and ask for their own organization."""
        administrators_only = resource.administrators_only and self.behaviour.role != "ADMINISTRATOR"

        async def handler(request: Request) -> Response:
            self._allowed(request, resource.name)
            if administrators_only:
                raise CodedError(errors.NO_PERMISSION)
            return serve(resource, request)

        return handler

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
            page = self.pager.page(view, cursor, descending=query.descending)
        if ignored and self.behaviour.sorting.share < 1:
            page = self._reordered(page, query, cursor)
        return json_answer(_envelope(marked(page, mark)))

    def _query(self, resource: Resource, cursor: Cursor) -> tuple[Query, bool]:
        """What is asked for, and whether the sort is ignored."""
        sorting = self.behaviour.sorting
        filtered = cursor.filters is not None
        if cursor.sort is not None and sorting.refuses(filtered=filtered, size=cursor.max):
            raise ValidationError(f"sort: {resource.name} cannot be sorted now")
        ignored = cursor.sort is not None and sorting.ignores(filtered=filtered, size=cursor.max)
        sort = cursor.sort if sorting.looks(ignored=ignored) else None
        query = parse_query(resource, cursor.filters, sort, self.behaviour.refusals)
        field, descending = sorting.list_order((query.field, query.descending), ignored=ignored)
        return Query(query.conditions, field, descending), ignored

    def _reordered(self, page: Page, query: Query, cursor: Cursor) -> Page:
        """The same rows, on some pages in another order."""
        order = self.behaviour.sorting.page_order((query.field, query.descending), position(cursor))
        if order is None:
            return page
        field, descending = order
        return replace(page, rows=sorted(page.rows, key=lambda row: sort_key(row, field), reverse=descending))

    def _own_bank_accounts(self) -> Response:
        """`currentUser=true` (official parameter); never more than a page here."""
        rows = [row for row in self.company.rows("bank_account_users") if row["userId"] == self.user_id]
        return json_answer({"results": rows})

    def _array(self, resource: Resource, _request: Request) -> Response:
        rows = self.company.all_stored(resource.name)
        return json_answer(b"[%b]" % b",".join(stored.json() for stored in rows))

    def _single(self, resource: Resource, _request: Request) -> Response:
        return self._found(resource, self.company.organization_id)

    def _detail(self, resource: Resource, request: Request) -> Response:
        return self._found(resource, request.path_params["id"])

    def _found(self, resource: Resource, row_id: str) -> Response:
        stored = self.company.stored(resource.name, row_id)
        if stored is None:
            raise CodedError(errors.NO_RECORD)
        return json_answer(stored.json())

    # Errors

    async def _on_error(self, _request: Request, error: Exception) -> Response:
        if not isinstance(error, AnswerError):
            raise error
        body = error.body(shown(microseconds(self.company.clock.now())))
        return json_answer(body, error.status)

    async def _on_unknown(self, request: Request, _error: Exception) -> Response:
        """Below `/connect/v3` BILL answers; anything else the gateway refuses with a single object (third-party)."""
        ours = request.url.path.startswith(ROOT + "/")
        return await self._on_error(request, CodedError(errors.UNKNOWN_PATH) if ours else GatewayError())


def _envelope(page: Page) -> bytes:
    """`results` and the cursors; the key of a cursor is absent at the end (observed)."""
    rows = b",".join([stored.json() for stored in page.rows])
    cursors = b"".join(
        b',"%b":"%b"' % (name, encoded(cursor).encode())
        for name, cursor in ((b"nextPage", page.next), (b"prevPage", page.previous))
        if cursor is not None
    )
    return b'{"results":[%b]%b}' % (rows, cursors)
