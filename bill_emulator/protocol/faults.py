"""Answers broken on purpose, planned one by one or drawn at random from a seed.

```python
faults = Faults(rate=1 / 8, seed=7)
with Emulator(faults=faults) as emu:
    emu.faults.plan("reset", path="/v3/bills", times=2, after=3)
```

What each kind does is in `KINDS`. None of it is documented by BILL except the error bodies of `protocol.errors`;
gateways, proxies and networks do such things, and other readers of BILL report some of them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from bill_emulator.protocol.scope import OVER, TOKEN, TOKEN_PATH, TRANSPORT
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.clock import Clock
    from bill_emulator.protocol.sessions import SessionBook

_GOOD, _UNAVAILABLE = 200, 503
_LEVELS = 20_000
_SIGN_INS, _SIGN_OUT = ("/v3/login", TOKEN_PATH), "/v3/logout"
_EXAMPLE_CONTENT = "Tax id 98-7654321 of Jane Roe, account 000123456789 at 'First Example Bank', is not valid."


@dataclass(slots=True)
class Call:
    """A request whose answer is to be broken."""

    inner: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    clock: Clock
    sessions: SessionBook
    options: dict[str, Any]

    async def answer(self, status: int, body: bytes, media: str = "application/json", **headers: Any) -> None:
        """Answer with this instead; a header without value is left out, and `_` in its name is a hyphen."""
        kept = {name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None}
        await Response(body, status, kept, media)(self.scope, self.receive, self.send)

    async def problem(self, status: int, *parts: dict[str, Any], **headers: Any) -> None:
        """Answer with BILL's array of errors; a part without code is of the kind that validation sends."""
        now = shown(microseconds(self.clock.now()))
        body = [
            {"timestamp": now, "severity": "ERROR", **({"category": "REQUEST"} if "code" in part else {}), **part}
            for part in parts
        ]
        await self.answer(status, msgspec.json.encode(body), **headers)

    async def right_answer(self) -> tuple[int, bytes]:
        """Status and body of the answer as it would have been."""
        status, body = 0, b""

        async def collect(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")

        await self.inner(self.scope, self.receive, collect)
        return status, body

    async def part(self) -> None:
        """Send the headers and the first half of the right answer."""
        status, body = await self.right_answer()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body) + 1).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})

    async def break_off(self) -> None:
        """Close the connection at once. The request is over by then: the other side may send the next at once."""
        self.scope.get(OVER, lambda: None)()
        if transport := self.scope.get(TRANSPORT):
            transport.abort()
        await self._gone()

    async def wait(self) -> None:
        """Do nothing for `seconds`, or until the other side goes away."""
        try:
            async with asyncio.timeout(self.options.get("seconds", 30)):
                await self._gone()
        except TimeoutError:
            pass

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


Action = Callable[[Call], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to break an answer: what it is, the action, and whether a patient reader survives it again and again."""

    text: str
    act: Action
    survivable: bool
    any_path: bool
    """Whether it may also happen to a sign-in."""


def _problem(status: int, message: str = "", **part: Any) -> Action:
    """BILL's error array; `status`, `code` and `message` may be asked for."""

    async def act(call: Call) -> None:
        asked = {"message": message, **part} | {name: call.options[name] for name in _ASKED if call.options.get(name)}
        await call.problem(call.options.get("status", status), asked)

    return act


_ASKED = ("code", "message")


def _body(status: int, body: bytes, media: str = "application/json") -> Action:
    """This very body, with any `status`."""

    async def act(call: Call) -> None:
        await call.answer(call.options.get("status", status), body, media)

    return act


async def _cut_json(call: Call) -> None:
    status, body = await call.right_answer()
    await call.answer(status, body[: len(body) // 2])


async def _cut_connection(call: Call) -> None:
    await call.part()
    await call.break_off()


async def _latin1(call: Call) -> None:
    status = call.options.get("status", _UNAVAILABLE)
    if status == _GOOD:
        _, body = await call.right_answer()
        await call.answer(status, body.replace(b"{", b'{"note":"Caf\xe9",', 1))
    else:
        await call.answer(status, b'[{"severity":"ERROR","category":"SERVER","message":"Caf\xe9 is closed."}]')


async def _deep(call: Call) -> None:
    status, levels = call.options.get("status", _UNAVAILABLE), call.options.get("levels", _LEVELS)
    body = b"[" * levels + b"]" * levels
    await call.answer(status, b'{"results":%b}' % body if status == _GOOD else body)


async def _hang(call: Call) -> None:
    await call.wait()
    await call.break_off()


async def _stall(call: Call) -> None:
    await call.part()
    await call.wait()
    await call.break_off()


async def _redirect(call: Call) -> None:
    location = call.options.get("location", "https://elsewhere.invalid/connect")
    await call.answer(call.options.get("status", 302), b"", location=location)


async def _v2_error_in_200(call: Call) -> None:
    data = {"error_code": call.options.get("code", "BDC_1001"), "error_message": "Out of order."}
    body = {"response_status": 1, "response_message": "Error", "response_data": data}
    await call.answer(_GOOD, msgspec.json.encode(body))


async def _too_many_requests(call: Call) -> None:
    await call.answer(429, b'{"message": "Slow down"}', retry_after=call.options.get("retry_after"))


async def _session_ended(call: Call) -> None:
    headers = dict(call.scope["headers"])
    call.sessions.close(headers.get(b"sessionid", b"").decode("latin-1"))
    if token := call.scope.get(TOKEN):
        token.ended = True
    await _problem(401, "The session has ended.", code="BDC_1109")(call)


async def _single_object(call: Call) -> None:
    body = {"message": call.options.get("message", "Internal server error")}
    await call.answer(call.options.get("status", 500), msgspec.json.encode(body))


async def _many_messages(call: Call) -> None:
    await call.problem(
        400,
        {"message": "The value is not accepted."},
        {"message": "00n01ABCDEFGHIJKLMNO The value is not accepted."},
        {"message": "The field ${paramName0} is unknown."},
    )


async def _unknown_fields(call: Call) -> None:
    status, body = await call.right_answer()
    answer: Any = msgspec.json.decode(body)
    rows: list[dict[str, Any]] = answer.get("results", [answer]) if isinstance(answer, dict) else answer
    for row in rows:
        row |= {"newField": "new", "newObject": {"inner": [1, "0.10"]}}
    await call.answer(status, msgspec.json.encode(answer))


_FATAL = (
    *("hang", "stall", "redirect", "hour_used_up", "session_ended", "untrusted"),
    *("forbidden", "refused", "single_object", "many_messages", "record_content", "unknown_fields"),
)
_NOT_AT_SIGN_IN = ("empty", "not_json")
_ACTIONS: dict[str, tuple[str, Action]] = {
    "server_error": (
        "BILL's error array with `status` (503) and `code` (none)",
        _problem(_UNAVAILABLE, "Out of order.", category="SERVER"),
    ),
    "html": ("an HTML page with `status` (502)", _body(502, b"<html><body>Bad gateway</body></html>", "text/html")),
    "empty": ("an empty answer with `status` (200)", _body(_GOOD, b"")),
    "not_json": ("plain text with status 200", _body(_GOOD, b"All is well.", "text/plain")),
    "cut_json": ("the right answer, cut in the middle", _cut_json),
    "cut_connection": ("half of the right answer, then the connection is closed", _cut_connection),
    "latin1": (
        "JSON with a Latin-1 byte, with `status` (503): BILL's error array, or under 200 the right answer and a field",
        _latin1,
    ),
    "deep": (
        "JSON `levels` (20,000) deep, with `status` (503): a bare array, or under 200 what is in `results`",
        _deep,
    ),
    "reset": ("the connection is closed without an answer", Call.break_off),
    "hang": ("no answer for `seconds` (30), then the connection is closed", _hang),
    "stall": ("half of the right answer, nothing for `seconds` (30), then the connection is closed", _stall),
    "redirect": ("a redirect with `status` (302) to `location`", _redirect),
    "error_in_200": (
        "BILL's error array under status 200, with `code` (BDC_1001)",
        _problem(_GOOD, "Out of order.", code="BDC_1001"),
    ),
    "v2_error_in_200": ("the error envelope of v2 under status 200, with `code` (BDC_1001)", _v2_error_in_200),
    "too_many_at_once": ("BDC_1322 with `status` (429)", _problem(429, "Too many requests at once.", code="BDC_1322")),
    "hour_used_up": (
        "BDC_1144 with `status` (429)",
        _problem(429, "The hour's requests are used up.", code="BDC_1144"),
    ),
    "too_many_requests": ("429 of the gateway without a code, with `retry_after` (none)", _too_many_requests),
    "session_ended": (
        "the session or access token is ended, and the request refused with `status` (401) and `code` (BDC_1109)",
        _session_ended,
    ),
    "untrusted": ("403 BDC_1361; the session stays", _problem(403, "The session is not trusted.", code="BDC_1361")),
    "forbidden": ("403 BDC_1302", _problem(403, "The user's role may not do this.", code="BDC_1302")),
    "refused": ("any error: `status` (400), `code` (none), `message`", _problem(400, "not accepted")),
    "single_object": ("one object with `message`, with `status` (500)", _single_object),
    "many_messages": (
        "400 whose array names a problem twice, once after a record's id, and an unresolved placeholder",
        _many_messages,
    ),
    "record_content": (
        "400 whose message quotes what a record holds",
        _problem(400, _EXAMPLE_CONTENT, code="BDC_1143"),
    ),
    "unknown_fields": ("the right answer, with fields in every row that nobody documents", _unknown_fields),
}
KINDS = {
    name: Kind(text, act, name not in _FATAL, name not in _NOT_AT_SIGN_IN) for name, (text, act) in _ACTIONS.items()
}
"""Every kind of fault by name."""


@dataclass(slots=True)
class _Plan:
    kind: str
    path: str | None
    method: str | None
    organization: str | None
    times: int | None
    after: int
    options: dict[str, Any] = field(default_factory=dict)

    def matches(self, scope: Scope, organization: str) -> bool:
        return (
            self.method in (None, scope["method"])
            and self.organization in (None, organization)
            and (self.path is None or fnmatchcase(scope["path"].removeprefix("/connect"), self.path))
        )


class Faults:
    """What to break. May be used from any thread."""

    def __init__(self, *, rate: float = 0.0, kinds: Iterable[str] | None = None, seed: int = 7) -> None:
        """Break this share of all answers at random, in one of the `kinds`: by default all that can be survived."""
        chosen = [name for name, kind in KINDS.items() if kind.survivable] if kinds is None else list(kinds)
        if not 0 <= rate <= 1:
            raise ValueError("the rate of faults must be from 0 to 1")
        _known(*chosen)
        self._rate = rate
        self._kinds = chosen
        self._chance = Random(f"{seed}/faults")
        self._lock = threading.Lock()
        self._plans: list[_Plan] = []
        self.counts: Counter[str] = Counter()

    def plan(  # noqa: PLR0913 -- which requests, and how often
        self,
        kind: str,
        *,
        path: str | None = None,
        method: str | None = None,
        organization: str | None = None,
        times: int | None = 1,
        after: int = 0,
        **options: Any,
    ) -> None:
        """Break the next `times` requests (None: all) that match, after letting `after` of them pass.

        `path` is BILL's, such as `/v3/bills`, or `/v3/attachments/vendors/*` for many. Plans come before chance, and
        the first that matches counts.
        """
        _known(kind)
        with self._lock:
            self._plans.append(_Plan(kind, path, method, organization, times, after, options))

    def clear(self) -> None:
        """Break nothing any more."""
        with self._lock:
            self._plans.clear()
            self._rate = 0.0

    def draw(self, scope: Scope, organization: str) -> tuple[Kind, dict[str, Any]] | None:
        """What happens to this request."""
        with self._lock:
            found = self._planned(scope, organization) or self._drawn(scope["path"].removeprefix("/connect"))
            if found is None:
                return None
            self.counts[found[0]] += 1
            return KINDS[found[0]], found[1]

    def _planned(self, scope: Scope, organization: str) -> tuple[str, dict[str, Any]] | None:
        for plan in self._plans:
            if plan.matches(scope, organization):
                if plan.after:
                    plan.after -= 1
                    continue
                if plan.times is not None:
                    plan.times -= 1
                    if not plan.times:
                        self._plans.remove(plan)
                return plan.kind, plan.options
        return None

    def _drawn(self, path: str) -> tuple[str, dict[str, Any]] | None:
        if not self._rate or self._chance.random() >= self._rate:
            return None
        kind = self._chance.choice(self._kinds)
        spared = path == _SIGN_OUT or (path in _SIGN_INS and not KINDS[kind].any_path)
        return None if spared else (kind, {})


def _known(*kinds: str) -> None:
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"unknown fault {', '.join(unknown)}; known are {', '.join(KINDS)}")


class Breaker:
    """Breaks the answers of one organization."""

    def __init__(self, inner: ASGIApp, faults: Faults, organization: str, clock: Clock, sessions: SessionBook) -> None:
        self._inner = inner
        self._faults = faults
        self._organization = organization
        self._clock = clock
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or break its answer."""
        drawn = self._faults.draw(scope, self._organization) if scope["type"] == "http" else None
        if drawn is None:
            await self._inner(scope, receive, send)
            return
        kind, options = drawn
        await kind.act(Call(self._inner, scope, receive, send, self._clock, self._sessions, options))
