"""Reading from BILL: the accounts of an organization, and Spend & Expense."""

from __future__ import annotations

import threading
import typing as t

from tap_bill.api.auth import Authenticator, BillSessionAuthenticator, Lasting, SignIns, SpendTokenAuthenticator
from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import ErrorAction, NoAnswerError, SignInError, UnreachableError
from tap_bill.api.limits import ConcurrencyLimiter, HourlyQuota, RateLimiter, ServerClock
from tap_bill.api.oauth import ADVICE, OAuthAuthenticator
from tap_bill.api.requester import Request, Requester, RetryPolicy
from tap_bill.api.stats import SIGN_IN, SPEND_CHECK
from tap_bill.api.transport import Transport
from tap_bill.settings import Way, environment, way_into

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_bill.api.error_responses import ErrorResponse
    from tap_bill.api.requester import Credentials, Quota
    from tap_bill.api.stats import RunStats

AUTHENTICATORS: t.Final[dict[Way, type[Authenticator[t.Any]]]] = {
    Way.OAUTH: OAuthAuthenticator,
    Way.SESSION: BillSessionAuthenticator,
    Way.CONSOLE: BillSessionAuthenticator,
}
"""What signs an organization in; the token of Spend & Expense needs no sign-in."""


class SharedLimits:
    """What all organizations of a run share: BILL's hourly limits count per developer key, whoever uses it."""

    def __init__(self, settings: Mapping[str, t.Any]) -> None:
        self.clock = ServerClock()
        self.sign_ins = SignIns()
        self._max_wait: float = settings["rate_limit_max_wait"]
        self._own_limit: int | None = settings.get("max_requests_per_hour")
        self._lock = threading.Lock()
        self._quotas: dict[str, tuple[HourlyQuota, HourlyQuota]] = {}

    def quotas(self, key: str, whose: str = "developer key") -> tuple[HourlyQuota, HourlyQuota]:
        """Return the limits of a developer key or app (`whose`): of requests, and of sign-ins."""
        with self._lock:
            if key not in self._quotas:
                self._quotas[key] = (
                    HourlyQuota(
                        "requests", self.clock, max_wait=self._max_wait, own_limit=self._own_limit, whose=whose
                    ),
                    HourlyQuota("sign-ins", self.clock, max_wait=self._max_wait, whose=whose),
                )
            return self._quotas[key]


class ClientOptions(t.TypedDict):
    """What a run hands to its clients: the `User-Agent` of requests, and the event that is set when the run ends."""

    user_agent: str
    stop: threading.Event


class Client:
    """Reads from BILL with one set of credentials; what both sides of BILL have in common.

    Args:
        settings: the tap's.
        shared: what it shares with the clients of other organizations.
        run_stats: counts by stream.
        whose: data it reads, for messages.
        limiter: how many requests at once; of its own when left out.
        options: see there.
    """

    credentials: Credentials
    quotas: tuple[Quota, ...]
    authenticator: Authenticator[t.Any] | None = None
    """What signed in; None where nothing does."""

    def __init__(
        self,
        settings: Mapping[str, t.Any],
        shared: SharedLimits,
        run_stats: RunStats,
        whose: str,
        limiter: ConcurrencyLimiter | None = None,
        **options: t.Unpack[ClientOptions],
    ) -> None:
        self.limiter = limiter or ConcurrencyLimiter(settings["max_concurrency"])
        timeout, user_agent = settings["request_timeout"], options["user_agent"]
        self._run_stats = run_stats
        self._transport = Transport(settings["api_url"], timeout=timeout, user_agent=user_agent, limiter=self.limiter)
        policy = RetryPolicy(settings["max_retries"], settings["rate_limit_max_wait"])
        self._requester = Requester(
            self._transport,
            self.limiter,
            shared.clock,
            policy,
            stop=options["stop"],
            whose=whose,
            advice=ADVICE if way_into(settings, spend=False) is Way.OAUTH else {},
        )
        self._server_time: datetime | None = None

    def sign_in(self) -> None:
        """Make sure that BILL accepts the credentials.

        Raises:
            BillError: if it does not, or cannot be reached.
        """
        if self.authenticator:
            self.authenticator.headers()
            self._server_time = self._server_time or self.authenticator.server_time

    def server_time(self) -> datetime | None:
        """BILL's clock as of the newest answer, signing in first where nothing was asked yet.

        It is at or before the moment in which any later request is answered. None where BILL sends no `Date`.
        """
        self.sign_in()
        return self._server_time

    def get(self, stream: str, path: str, params: Mapping[str, str], *, goes_on: bool = False) -> t.Any:
        """Return the parsed JSON of a GET.

        Args:
            stream: the stream that asks, for messages.
            path: begins with `/v3/`.
            params: query parameters, not encoded.
            goes_on: whether BILL has answered the beginning of the same list.

        Raises:
            BillError: what `Requester.send` raises, or if BILL refuses the credentials; `UnreachableError` where BILL
                answers nothing else either.
        """
        try:
            body = self._ask(Request(stream, "GET", path, params, goes_on=goes_on))
        except ApiError as error:
            if error.response.action is ErrorAction.RENEW_SESSION:
                self._check()  # is it the credentials, or this list alone?
            raise
        if self.authenticator:
            self.authenticator.has_served = True
        return body

    def _ask(self, request: Request) -> t.Any:
        stats = self._run_stats.of(request.stream)
        try:
            answer = self._requester.send(request, self.credentials, self.quotas, stats)
        except NoAnswerError as error:
            if self._requester.is_answered(Lasting(), stats):
                raise
            raise UnreachableError(f"{error.message} Nothing else is answered either, so no more is read.") from None
        self._server_time = answer.server_time or self._server_time
        return answer.body

    def _check(self) -> None:
        """Find out whether BILL refuses the credentials.

        Raises:
            SignInError: if it does.
        """
        if self.authenticator:
            self.authenticator.check()

    def close(self, *, sign_out: bool) -> None:
        """Sign out, if so wished, and close the connections; the client is not used after that."""
        del sign_out
        self._transport.close()


class BillClient(Client):
    """Reads accounts payable and receivable of one organization, with a session or a token."""

    authenticator: Authenticator[t.Any]

    def __init__(
        self,
        settings: Mapping[str, t.Any],
        shared: SharedLimits,
        run_stats: RunStats,
        **options: t.Unpack[ClientOptions],
    ) -> None:
        """Make the client; nothing is sent yet."""
        kind = AUTHENTICATORS[way_into(settings, spend=False) or Way.SESSION]
        login = kind.identity(settings)
        super().__init__(settings, shared, run_stats, f"organization {login.organization_id}", **options)
        requests, sign_ins = shared.quotas(login.key, kind.limited)
        self.quotas = (requests,)
        self.credentials = self.authenticator = kind(
            self._requester,
            login,
            quotas=(requests, sign_ins),
            sign_ins=shared.sign_ins,
            stats=run_stats.of(SIGN_IN),
        )

    def close(self, *, sign_out: bool) -> None:
        """Sign out, if so wished, and close the connections; the client is not used after that."""
        if sign_out:
            self.authenticator.sign_out()
        super().close(sign_out=sign_out)


class SpendClient(Client):
    """Reads Spend & Expense of one company, with a token of its own or with that of the organization.

    Args:
        settings: the tap's.
        shared: what it shares with the clients of other organizations.
        run_stats: counts by stream.
        common: the client of the rest, where that signs in for Spend & Expense too; the limits of its developer app
            are then kept together.
        options: see there.
    """

    def __init__(
        self,
        settings: Mapping[str, t.Any],
        shared: SharedLimits,
        run_stats: RunStats,
        common: BillClient | None = None,
        **options: t.Unpack[ClientOptions],
    ) -> None:
        """Make the client; nothing is sent yet."""
        super().__init__(settings, shared, run_stats, "Spend & Expense", common.limiter if common else None, **options)
        self._api_url: str = settings["api_url"]
        if common:
            self.credentials = self.authenticator = common.authenticator
        else:
            self.credentials = SpendTokenAuthenticator(settings["spend_api_token"])
        self.quotas = (RateLimiter(), *(common.quotas if common else ()))
        self._lock = threading.Lock()
        self._is_accepted = False

    def sign_in(self) -> None:
        """Make sure that BILL accepts the token; one of Spend & Expense alone by asking for the user it belongs to.

        Raises:
            BillError: if BILL refuses the token, or cannot be reached.
        """
        if self.authenticator:
            super().sign_in()
            return
        with self._lock:
            if self._is_accepted:
                return
            self._check()
            self._is_accepted = True

    def _check(self) -> None:
        """Ask for the user that the token belongs to.

        Raises:
            SignInError: if BILL refuses the token, or does not answer.
        """
        super()._check()
        try:
            self._ask(Request(SPEND_CHECK, "GET", "/v3/spend/users/current"))
        except NoAnswerError as error:
            raise SignInError(error.message) from None
        except ApiError as error:
            if error.response.action in {ErrorAction.SKIP_STREAM, ErrorAction.RENEW_SESSION}:
                raise self._refused(error.response) from None
            if error.response.action is not ErrorAction.STOP:
                raise SignInError(error.message) from None
            # Anything else that is wrong shows when the streams are read.

    def _refused(self, response: ErrorResponse) -> SignInError:
        code = ", ".join((f"HTTP {response.status}", *response.codes))
        return SignInError(
            f"BILL {environment(self._api_url)} "
            + (
                f"refused the OAuth token for Spend & Expense ({code}), though not for the rest. Give the user who "
                "made the developer app access to Spend & Expense, or deselect its streams."
                if self.authenticator
                else f"refused spend_api_token ({code}): it is wrong, revoked, or of the other environment. Set it to "
                "a token that an administrator of Spend & Expense made there."
            )
        )
