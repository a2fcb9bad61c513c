"""The emulator: companies behind the API, in the layers that limit, break, count and date its answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bill_emulator.company.company import Company
from bill_emulator.protocol.api import Api, Behaviour
from bill_emulator.protocol.control import control_routes
from bill_emulator.protocol.date_header import DateHeaders
from bill_emulator.protocol.edits import Between, People, Work
from bill_emulator.protocol.faults import Breaker, Faults
from bill_emulator.protocol.filters import Refusals
from bill_emulator.protocol.limits import Counters, Gate, HourlyLimits
from bill_emulator.protocol.listener import Running
from bill_emulator.protocol.organizations import Front
from bill_emulator.protocol.scope import ORGANIZATION, TRANSPORT, is_control
from bill_emulator.protocol.sessions import SessionBook
from bill_emulator.protocol.sign_in import Credentials
from bill_emulator.protocol.sorting import Sorting
from bill_emulator.protocol.tokens import App, TokenBook, TokenRules, token_routes

if TYPE_CHECKING:
    from types import TracebackType

    from bill_emulator.clock import Clock
    from bill_emulator.company.odd_times import OddTimes
    from bill_emulator.protocol.mid_list import MidList
    from bill_emulator.protocol.spend import SpendApi

Layer = Callable[[ASGIApp], ASGIApp]

_REQUESTS_KEPT = 200_000
_RIGHT = DateHeaders("right")


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request. Header names are lower case; header values and bodies are not kept.

    `status` 0 means that the connection was broken before an answer; `organization` is empty where it is not known.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    headers: frozenset[str]
    organization: str


class Emulator:
    """A stand-in BILL server on this machine; use it as a context manager.

    ```python
    with Emulator(company=Company(bills=1000)) as emu:
        requests.post(emu.url + "/v3/login", json=...)
    ```

    `url` ends in `/connect`; `credentials` has username, password, organization_id and dev_key.
    """

    def __init__(  # noqa: PLR0913 -- every switch is a keyword with a default
        self,
        company: Company | None = None,
        clock: Clock | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: Credentials | None = None,
        cursor: str = "offset",
        refuse_assumed: bool = False,
        refuse_filters: Iterable[str] = (),
        ignore_filters: Iterable[str] = (),
        refuse_sort: str = "never",
        ignore_sort: bool | str = False,
        unsorted: str = "id",
        unsorted_share: float = 1.0,
        order_seed: int = 7,
        untimed: str = "first",
        odd_times: Iterable[OddTimes] = (),
        moves_related: bool = False,
        mid_list: Sequence[MidList] = (),
        cursor_life: int = 0,
        date: str = "right",
        date_answers: int | None = None,
        quirks: Iterable[str] = (),
        role: str = "ADMINISTRATOR",
        forbid: Iterable[str] = (),
        latency: float = 0.0,
        limit: int = 3,
        limit_status: int = 429,
        edit_every: int = 0,
        edit_rows: int = 3,
        delete_every: int = 0,
        delete_rows: int = 1,
        between: Between | None = None,
        companies: Sequence[Company] = (),
        organization_credentials: Mapping[str, Credentials] | None = None,
        forbid_in: Mapping[str, Iterable[str]] | None = None,
        session_requests: int = 0,
        session_seconds: float = 0,
        hourly_limit: int = 20_000,
        login_limit: int = 200,
        quota_status: int = 429,
        spend_quirks: Iterable[str] = (),
        spend_limit: int = 60,
        token_place: str = "connect",
        token_seconds: float = 3600,
        token_requests: int = 0,
        token_expires_in: str = "right",
        token_errors: str = "rfc6749",
        token_scope: str = "accounting",
        token_refusal: str = "bill",
        faults: Faults | None = None,
        layers: Sequence[Layer] = (),
    ) -> None:
        """`clock` replaces the company's; `port` 0 picks a free one; for the rest see `protocol.api.Behaviour`.

        `refuse_filters` and `ignore_filters` name fields: a filter on such a field is answered 400, or has no effect;
        `refuse_assumed` is 400 for filters and sorts that are neither official nor observed.
        `refuse_sort` and `ignore_sort` say when that happens to a sort: one of `protocol.sorting.WHENS` (True:
        always). `unsorted` is the order that comes instead, one of `protocol.sorting.ORDERS`, drawn from
        `order_seed`; with `unsorted_share` below 1 it is that of so many pages only. Rows without a time are `untimed`
        "first" or "last" in an ascending list. `odd_times` are given to every company (see `Company.odd_times`),
        and so is `moves_related`: whether work in the books moves `updatedTime` of the records that it changes.
        `mid_list` refuses requests with a cursor; one is good for the next `cursor_life` list requests (0: forever).
        `date` is how the first `date_answers` answers (None: all) are dated, one of `protocol.date_header.DATES`.

        Every answer takes `latency` seconds longer; `limit` requests may be in flight (0: any number), one more is
        answered `BDC_1322` with `limit_status` at once. After every `edit_every` list answers (0: never) `edit_rows`
        rows of the list that was read are edited, and every other time a row is added to it; after every `delete_every`
        list answers `delete_rows` of its rows are deleted for good. `between(list_name, company)` is called after each
        page of a list, before any other request is looked at; it may do anything but send requests.

        `companies`, in place of `company`, are several organizations on one server; `organization_credentials` and
        `forbid_in` are by organization id, for those that have their own. A session ends after `session_requests`
        requests or `session_seconds` seconds however busy it is (0: never). `hourly_limit` requests and `login_limit`
        sign-ins per clock hour are served, more are answered `BDC_1144` with `quota_status`. `spend_limit` is how many
        requests a minute a token of Spend & Expense may send (0: any number); for `spend_quirks` see
        `protocol.spend`; for `token_place` and the like `protocol.tokens.TokenRules`. `faults` break answers.

        `layers` are ASGI middlewares around the application, the first one outermost; they see `/control` and the BILL
        requests which were let in, and what they answer is counted, recorded and dated like any other answer.
        """
        if companies and company:
            raise ValueError("give company or companies, not both")
        self.company = company or (companies[0] if companies else Company())
        if clock is not None:
            self.company.clock = clock
        self.companies = {each.organization_id: each for each in companies or [self.company]}
        if len(self.companies) < len(companies):
            raise ValueError("every company needs an organization_id of its own")
        self._sessions = SessionBook(self.clock, most_requests=session_requests, most_seconds=session_seconds)
        life = token_seconds, token_requests, token_expires_in
        self._tokens = TokenBook(self.clock, TokenRules(token_place, *life, token_errors, token_scope, token_refusal))
        self._credentials = credentials or Credentials()
        self.faults = faults or Faults()
        self._counters = {organization: Counters() for organization in self.companies}
        self._limits = limits = HourlyLimits(self.clock, requests=hourly_limit, logins=login_limit, status=quota_status)
        self._records: deque[RequestRecord] = deque(maxlen=_REQUESTS_KEPT)
        self._address = (host, port)
        if not isinstance(ignore_sort, str):
            ignore_sort = "always" if ignore_sort else "never"
        sorting = Sorting(refuse_sort, ignore_sort, unsorted, unsorted_share, order_seed, untimed)
        refusals = Refusals(refuse_assumed, frozenset(refuse_filters), frozenset(ignore_filters))
        rules = tuple(odd_times)
        work = Work(edit_every, edit_rows, delete_every, delete_rows, between)
        own_credentials, own_forbid = organization_credentials or {}, forbid_in or {}
        self._apis: list[Api] = []
        applications: dict[str, ASGIApp] = {}
        for organization, each in self.companies.items():
            each.clock = self.clock
            each.moves_related |= moves_related
            if rules:
                each.odd_times(rules)
            counters = self._counters[organization]
            behaviour = Behaviour(
                cursor=cursor,
                refusals=refusals,
                sorting=sorting,
                quirks=frozenset(quirks),
                role=role,
                forbid=frozenset({*forbid, *own_forbid.get(organization, ())}),
                spend_quirks=frozenset(spend_quirks),
                spend_limit=spend_limit,
                mid_list=tuple(mid_list),
                cursor_life=cursor_life,
            )
            own = own_credentials.get(organization, self._credentials)
            people = People(counters, each, work)
            api = Api(each, self._sessions, self._tokens, own, behaviour, counters=counters, people=people)
            self._apis.append(api)
            control = control_routes(each, self._sessions, self._tokens, counters, self.faults)
            app = App(own.client_id, own.client_secret, organization, api.sign_in.user_id)
            application: ASGIApp = api.application(*control, *token_routes(app, self._tokens))
            application = Breaker(application, self.faults, organization, self.clock, self._sessions)
            for layer in reversed(layers):
                application = layer(application)
            applications[organization] = Gate(
                application, counters, self.clock, latency=latency, limit=limit, status=limit_status
            )
        # In reverse: what several organizations have in common opens the first.
        known = [(api.sign_in.credentials, api.company.organization_id) for api in reversed(self._apis)]
        front = Front(
            applications,
            self._sessions,
            self._tokens,
            limits,
            spend_tokens={each.spend_api_token: organization for each, organization in known},
            apps={each.client_id: organization for each, organization in known},
        )
        self._application = _Outermost(front, self.clock, DateHeaders(date, date_answers), self._records)
        self._running: Running | None = None

    @property
    def counters(self) -> Counters:
        """What happened; of several organizations, to the first."""
        return self._counters[self.company.organization_id]

    def counters_of(self, organization_id: str) -> Counters:
        """What happened to one of several organizations."""
        return self._counters[organization_id]

    @property
    def over_quota(self) -> int:
        """How many requests were refused because the hour was used up."""
        return self._limits.refused

    @property
    def expired(self) -> int:
        """How many sessions were found to have ended by themselves."""
        return self._sessions.expired

    @property
    def clock(self) -> Clock:
        """The clock of the company and the server."""
        return self.company.clock

    @property
    def url(self) -> str:
        """The base URL, such as `http://127.0.0.1:8787/connect`."""
        if self._running is None:
            raise RuntimeError("the emulator is not running")
        host, port = self._running.address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/connect"

    @property
    def credentials(self) -> dict[str, str]:
        """What signs in: username, password, organization_id, dev_key."""
        return {
            "username": self._credentials.username,
            "password": self._credentials.password,
            "organization_id": self.company.organization_id,
            "dev_key": self._credentials.dev_key,
        }

    @property
    def spend_credentials(self) -> dict[str, str]:
        """What reads Spend & Expense: spend_api_token."""
        return {"spend_api_token": self._credentials.spend_api_token}

    @property
    def oauth_credentials(self) -> dict[str, str]:
        """What an access token is issued for: client_id, client_secret, organization_id."""
        own = self._apis[0].sign_in.credentials
        return {
            "client_id": own.client_id,
            "client_secret": own.client_secret,
            "organization_id": self.company.organization_id,
        }

    @property
    def spend(self) -> SpendApi:
        """Spend & Expense, for what it counts; of several organizations, that of the first."""
        return self._apis[0].spend

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests answered so far (the newest 200,000), without those to `/control`."""
        return list(self._records)

    def reset_counters(self) -> None:
        """Set `counters` back to zero."""
        self.counters.reset()

    @property
    def logins(self) -> int:
        """How many sign-ins succeeded since the emulator was made."""
        return sum(api.sign_in.logins for api in self._apis)

    def expire_sessions(self) -> None:
        """End all sessions, as if they had been idle for too long."""
        self._sessions.close_all()

    @property
    def tokens(self) -> int:
        """How many access tokens were issued since the emulator was made."""
        return self._tokens.issued

    def revoke_tokens(self) -> None:
        """End all access tokens, as if they had expired."""
        self._tokens.revoke_all()

    def refuse_clients(self) -> None:
        """Issue no access token any more, as if the apps had been deleted; those that were issued are left alone."""
        self._tokens.clients_refused = True

    def application(self) -> ASGIApp:
        """The whole ASGI application, to run it elsewhere."""
        return self._application

    def start(self) -> Self:
        """Listen; returns when requests are answered. OSError when the address is taken."""
        if self._running is None:
            self._running = Running(self.application(), self._address)
        return self

    def stop(self) -> None:
        """Stop listening and close all connections."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Outermost:
    """Writes the `Date` header from the emulator's clock, and notes every request."""

    def __init__(self, inner: ASGIApp, clock: Clock, dates: DateHeaders, records: deque[RequestRecord]) -> None:
        self._inner = inner
        self._dates = dates
        self._clock = clock
        self._records = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False
        # uvicorn hands out a bound method of what owns the connection.
        scope[TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)

        async def dated(message: Message) -> None:
            nonlocal answered
            answered = True
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"date"]
                dates = (_RIGHT if is_control(scope["path"]) else self._dates).next(self._clock.now())
                message = {**message, "headers": [*headers, *dates]}
                if not is_control(scope["path"]):
                    self._records.append(_record(scope, message["status"]))
            await send(message)

        await self._inner(scope, receive, dated)
        if not answered:
            self._records.append(_record(scope, 0))


def _record(scope: Scope, status: int) -> RequestRecord:
    return RequestRecord(
        scope["method"],
        scope["path"],
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        status,
        frozenset(name.decode("latin-1").lower() for name, _ in scope["headers"]),
        scope.get(ORGANIZATION, ""),
    )
