"""One request with the patience it deserves: retries, waits for limits, and a new session where BILL wants one."""

from __future__ import annotations

import logging
import math
import random
import typing as t
from dataclasses import dataclass, field
from weakref import WeakSet

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import BillError, ErrorAction, NoAnswerError, QuotaError, StoppedError, UnreachableError
from tap_bill.api.transport import ApiResponse

if t.TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from requests.auth import AuthBase

    from tap_bill.api.error_responses import ErrorResponse
    from tap_bill.api.limits import ConcurrencyLimiter, ServerClock
    from tap_bill.api.stats import StreamStats
    from tap_bill.api.transport import Transport

LOGGER = logging.getLogger("tap-bill")

PASSING: t.Final = (ErrorAction.RETRY, ErrorAction.SLOW_DOWN, ErrorAction.WAIT_FOR_HOUR)
"""Trouble that may be over soon, and that says nothing about the credentials."""

LONGEST_PAUSE: t.Final = 60.0
"""Seconds between two tries, at most."""


class Quota(t.Protocol):
    """A limit that requests count for."""

    def admit(self, stats: StreamStats, stop: threading.Event) -> None:
        """Count a request, and wait first where there is no room for it."""

    def used_up(self) -> bool:
        """Note that BILL called the hour's limit used up; return whether `admit` will wait for the next hour."""

    def was_served(self) -> None:
        """Note that BILL answered."""


class Credentials(t.Protocol):
    """What signs a request."""

    def headers(self) -> AuthBase:
        """Return what to send with the next request."""

    def renew(self, refused: AuthBase) -> bool:
        """Give up credentials that BILL no longer accepts; return whether `headers` may get better ones."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask BILL for.

    Args:
        stream: on whose behalf, for messages.
        method: GET or POST.
        path: begins with `/v3/`, or is that of OAuth's tokens.
        params: query parameters, not encoded.
        json: body of a POST.
        form: the same, as form data.
        at_root: whether the path follows the host instead of the base URL.
        goes_on: whether BILL has answered the beginning of the same list, so that permission cannot be what is missing.
    """

    stream: str
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    at_root: bool = False
    goes_on: bool = False

    def __str__(self) -> str:
        """Name the request in a message."""
        return f"{self.method} {self.path}"


class RetryPolicy(t.NamedTuple):
    """How patient to be.

    Args:
        max_retries: how often a request is repeated because of trouble.
        max_wait: seconds that BILL may tell a request to wait.
    """

    max_retries: int
    max_wait: float


class Requester:
    """Sends requests until BILL gives an answer that can be used, or none is to be expected.

    Args:
        transport: what sends.
        limiter: how many at once; narrowed while BILL says that there are too many.
        clock: set by the `Date` of every answer.
        policy: how patient to be.
        stop: set when the run ends, so that nobody waits any longer.
        whose: data they ask for, for messages: an organization's, or those of Spend & Expense.
        advice: what to check, by action, where the credentials make it differ from what the code's own advice says.
    """

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        transport: Transport,
        limiter: ConcurrencyLimiter,
        clock: ServerClock,
        policy: RetryPolicy,
        *,
        stop: threading.Event,
        whose: str,
        advice: Mapping[ErrorAction, str] | None = None,
    ) -> None:
        self.api_url = transport.api_url
        self._transport = transport
        self._limiter = limiter
        self._clock = clock
        self._policy = policy
        self._stop = stop
        self._whose = whose
        self._advice = advice or {}
        self._proven: WeakSet[AuthBase] = WeakSet()

    def send(
        self, request: Request, credentials: Credentials, quotas: Sequence[Quota], stats: StreamStats
    ) -> ApiResponse:
        """Return an answer that can be used.

        Args:
            request: what to ask for.
            credentials: what signs it.
            quotas: the limits that it counts for; BILL's "used up" means the last of them.
            stats: counts it.

        Raises:
            ApiError: if BILL refuses, also after retries.
            QuotaError: if the hour's requests are used up and the next hour is too far away.
            SignInError: if a new session was needed, and BILL refuses the credentials.
            UnreachableError: if no usable answer comes back.
            StoppedError: if the run ends meanwhile.
        """
        retries = renewals = 0
        while True:
            for quota in quotas:
                quota.admit(stats, self._stop)
            auth = credentials.headers()
            outcome = self._once(request, auth, stats)
            if isinstance(outcome, ApiResponse) and outcome.error is None:
                self._limiter.widen()
                self._proven.add(auth)
                for quota in quotas:
                    quota.was_served()
                return outcome
            match outcome.error.action if isinstance(outcome, ApiResponse) and outcome.error else ErrorAction.RETRY:
                case ErrorAction.RENEW_SESSION if self._may_renew(auth, renewals) and credentials.renew(auth):
                    renewals += 1
                case ErrorAction.WAIT_FOR_HOUR if quotas[-1].used_up():
                    pass
                case action if retries < self._policy.max_retries and (
                    action in PASSING or (action is ErrorAction.SKIP_STREAM and request.goes_on)
                ):
                    retries += 1
                    self._pause(request, outcome, retries, stats)
                case _:
                    raise self._failure(request, outcome, retries)

    def _may_renew(self, refused: AuthBase, renewals: int) -> bool:
        """Tell whether another session may help: once for any request, and more often where the refused one was good.

        Other readers may use a session up before a request that waited for it is sent, and a token may expire.
        """
        was_good = refused in self._proven or self.has_expired(refused)
        return not renewals or (was_good and renewals <= self._policy.max_retries)

    def has_expired(self, auth: AuthBase) -> bool:
        """Tell whether credentials that know when they end have ended, by BILL's clock."""
        return self._clock.now() >= getattr(auth, "ends", math.inf)

    def is_answered(self, auth: AuthBase, stats: StreamStats) -> bool:
        """Tell whether BILL answers anything at all; `auth` need not be good for anything."""
        stats.add(requests=1)
        try:
            self._transport.send("GET", "/v3/login/session", auth=auth)
        except NoAnswerError:
            return False
        return True

    def sign_out(self, auth: AuthBase, stats: StreamStats) -> None:
        """End a session; one try, whatever comes back.

        Raises:
            UnreachableError: if nothing does.
        """
        stats.add(requests=1)
        self._transport.send("POST", "/v3/logout", auth=auth)

    def _once(self, request: Request, auth: AuthBase, stats: StreamStats) -> ApiResponse | NoAnswerError:
        stats.add(requests=1)
        try:
            answer = self._transport.send(
                request.method,
                request.path,
                auth=auth,
                params=request.params,
                json=request.json,
                form=request.form,
                at_root=request.at_root,
            )
        except NoAnswerError as error:
            return error
        except UnreachableError as error:
            raise UnreachableError(f"{request.stream}: {error.message}.") from None
        if answer.server_time:
            self._clock.set(answer.server_time)
        return answer

    def _pause(self, request: Request, outcome: ApiResponse | NoAnswerError, retries: int, stats: StreamStats) -> None:
        """Wait before a request is repeated: longer each time, and by chance, so that not all come back at once."""
        pause = random.uniform(0, min(LONGEST_PAUSE, 2.0 ** min(retries, 10)))  # noqa: S311 - no secret
        what = outcome.message if isinstance(outcome, NoAnswerError) else f"{request} was answered {outcome.error}"
        if isinstance(outcome, ApiResponse):
            asked = outcome.retry_after or 0.0
            if asked > self._policy.max_wait:
                wish = f"BILL wants no request for {asked:.0f} seconds"
                if outcome.error and outcome.error.action is ErrorAction.RETRY:  # no limit, and maybe one list's
                    raise self._failure(request, outcome, retries - 1, f" {wish}.")
                raise QuotaError(f"{request.stream}: {wish}. Run again after that")
            pause = max(pause, asked)
            if outcome.error and outcome.error.action is ErrorAction.SLOW_DOWN:
                self._limiter.narrow()
                stats.add(waited=pause)
        stats.add(retries=1)
        LOGGER.info(
            "%s: %s. Trying again in %.1f s (%d of %d).",
            request.stream,
            what,
            pause,
            retries,
            self._policy.max_retries,
        )
        if self._stop.wait(pause):
            raise StoppedError(f"{request.stream}: stopped while waiting to try again.")

    def _failure(
        self, request: Request, outcome: ApiResponse | NoAnswerError, retries: int, more: str = ""
    ) -> BillError:
        tries = f", tried {retries + 1} times" if retries else ""
        if isinstance(outcome, NoAnswerError):
            return NoAnswerError(f"{request.stream}: {outcome.message}{tries}.")
        response = t.cast("ErrorResponse", outcome.error)
        verb = "could not answer" if response.action is ErrorAction.RETRY else "refused"
        known = self._advice.get(response.action, response.known_as.advice)
        advice = f": {known}" if known else ""
        if request.goes_on and response.action is ErrorAction.SKIP_STREAM:
            advice = (
                " after it had answered the beginning of the same list: run again, and see whether a role has changed"
            )
        return ApiError(
            f"{request.stream}: BILL {verb} {request} for {self._whose} ({response}{tries}){advice}.{more}",
            response,
        )
