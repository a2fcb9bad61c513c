"""Signing in to BILL and out again: what all ways have in common, sessions, and the token of Spend & Expense."""

from __future__ import annotations

import contextlib
import logging
import math
import time
import typing as t
from threading import Condition, Lock

from requests.auth import AuthBase

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import BillError, ErrorAction, NoAnswerError, SignInError
from tap_bill.api.requester import PASSING, Request
from tap_bill.api.stats import SIGN_IN
from tap_bill.settings import LOGIN, environment

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from requests import PreparedRequest

    from tap_bill.api.limits import HourlyQuota
    from tap_bill.api.requester import Requester
    from tap_bill.api.stats import StreamStats

LOGGER = logging.getLogger("tap-bill")

IDLE: t.Final = 29 * 60.0
"""Seconds without a request after which a session is not used any more: BILL ends it after 35 minutes."""

WRONG_CREDENTIALS: t.Final = {"BDC_1101", "BDC_1102"}
"""Codes by which BILL refuses the user or the key, whichever the organization."""

REFUSALS: t.Final = 2
"""Refused sign-ins after which the same user and key are not tried again: BILL may lock the user out."""


class Identity(t.Protocol):
    """What signs in to one organization."""

    organization_id: str

    @property
    def key(self) -> str:
        """What BILL's hourly limits count for."""

    @property
    def user(self) -> tuple[str, ...]:
        """What a refused sign-in is about: everything but the organization."""


class Login:
    """What opens a session of one organization."""

    def __init__(self, settings: Mapping[str, t.Any]) -> None:
        self.organization_id: str = settings["organization_id"]
        self.key: str = settings["dev_key"]
        self.body = {field: settings[name] for name, field in LOGIN.items() if settings.get(name)}

    @property
    def user(self) -> tuple[str, ...]:
        """What a refused sign-in is about: everything but the organization."""
        return tuple(value for field, value in self.body.items() if field != "organizationId")


Who = t.TypeVar("Who", bound=Identity)


class SignIns:
    """Makes sure that a wrong password is not tried over and over, however many organizations share it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._trying: dict[tuple[str, ...], int] = {}
        self._refused: dict[tuple[str, ...], list[SignInError]] = {}
        self._accepted: set[tuple[str, ...]] = set()

    @contextlib.contextmanager
    def attempt(self, login: Identity) -> Iterator[None]:
        """Try to sign in, with a `SignInError` for a response.

        Raises:
            SignInError: without a try, if BILL has refused these credentials twice and never accepted them.
        """
        user = login.user
        with self._changed:
            self._changed.wait_for(lambda: self._may_try(user) or not self._trying.get(user))
            if not self._may_try(user):
                raise self._refused[user][-1]
            self._trying[user] = self._trying.get(user, 0) + 1
        try:
            yield
        except SignInError as error:
            if error.wrong_credentials:
                self._refused.setdefault(user, []).append(error)
            raise
        else:
            self._accepted.add(user)
        finally:
            with self._changed:
                self._trying[user] -= 1
                self._changed.notify_all()

    def _may_try(self, user: tuple[str, ...]) -> bool:
        tried = len(self._refused.get(user, ())) + self._trying.get(user, 0)
        return user in self._accepted or tried < REFUSALS


class Lasting(AuthBase):
    """Credentials that go with every request and cannot be renewed: a few headers, or none."""

    def __init__(self, **headers: str) -> None:
        self._headers = headers

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the headers to a request."""
        request.headers.update(self._headers)
        return request

    def headers(self) -> AuthBase:
        """Return what to send."""
        return self

    def renew(self, refused: AuthBase) -> bool:
        """Return that there is nothing better."""
        del refused
        return False


class Authenticator(t.Generic[Who]):
    """What one organization signed in to, shared by all its streams: a session, or a token.

    It is asked for at the first request, and again when BILL has ended it or when it is too old: once, however many
    workers notice.

    Args:
        requester: sends the sign-in.
        login: what signs in.
        quotas: the hourly limits that a sign-in counts for, that of sign-ins last.
        sign_ins: shared by all organizations of the run.
        stats: counts sign-ins.
        monotonic: a clock in seconds.
    """

    identity: type[Who]
    """What signs in."""

    limited: t.ClassVar[str]
    """What BILL's hourly limits are counted by, for messages."""

    error: t.ClassVar[type[SignInError]] = SignInError

    has_served = False
    """Whether BILL has answered any stream."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        requester: Requester,
        login: Who,
        *,
        quotas: Sequence[HourlyQuota],
        sign_ins: SignIns,
        stats: StreamStats,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requester = requester
        self._login = login
        self._quotas = quotas
        self._sign_ins = sign_ins
        self._stats = stats
        self._monotonic = monotonic
        self._where = environment(requester.api_url)
        self._lock = Lock()
        self._auth: Lasting | None = None
        self._good_until = math.inf
        self._signed_in = 0
        self._refused: SignInError | None = None
        self.server_time: datetime | None = None

    def headers(self) -> AuthBase:
        """Return the credentials of the next request, signing in first where there are none that are fit for use.

        Raises:
            SignInError: if BILL refuses the credentials or does not answer, now or before.
            UnreachableError: if BILL cannot be reached.
        """
        with self._lock:
            if self._auth is None or self._monotonic() >= self._good_until:
                self._auth = None
                self._auth = self._sign_in()
            self._note_use()
            return self._auth

    def renew(self, refused: AuthBase) -> bool:
        """Give up what BILL has ended, unless another worker has replaced it already."""
        with self._lock:
            if self._auth is refused:
                self._auth = None
        return True

    def check(self) -> None:
        """Find out whether BILL refuses the credentials themselves, after it has refused a request made with new ones.

        Raises:
            SignInError: if it does.
        """

    def sign_out(self) -> None:
        """Give the credentials up at the end of a run."""

    def _sign_in(self) -> Lasting:
        if self._refused:
            raise self._refused
        try:
            with self._sign_ins.attempt(self._login):
                auth = self._open()
        except SignInError as error:
            self._refused = error
            raise
        self._stats.add(renewals=1 if self._signed_in else 0)
        self._signed_in += 1
        return auth

    def _open(self) -> Lasting:
        """Sign in, now.

        Raises:
            BillError: if that is not possible.
        """
        raise NotImplementedError

    def _note_use(self) -> None:
        """Note that the credentials are about to be used."""

    def _check_organization(self, found: object) -> None:
        """Compare the organization that BILL opened with the one that names the rows.

        Raises:
            SignInError: if they differ.
        """
        if found != self._login.organization_id:
            raise self.error(
                f"BILL {self._where} opened organization {found} instead of {self._login.organization_id}; "
                "set organization_id to the organization that these credentials belong to."
            )


class BillSessionAuthenticator(Authenticator[Login]):
    """One BILL session, which is ended by `sign_out`. BILL allows 200 logins an hour per developer key."""

    identity = Login
    limited = "developer key"

    def sign_out(self) -> None:
        """End the session; a failure is of no consequence, since an idle session ends by itself."""
        with self._lock:
            session, self._auth = self._auth, None
        if session is not None:
            with contextlib.suppress(BillError):
                self._requester.sign_out(session, self._stats)

    def _note_use(self) -> None:
        self._good_until = self._monotonic() + IDLE

    def _open(self) -> Lasting:
        """Send the login."""
        login, where = self._login, self._where
        request = Request(SIGN_IN, "POST", "/v3/login", json=login.body)
        try:
            answer = self._requester.send(request, Lasting(), self._quotas, self._stats)
        except NoAnswerError as error:
            raise SignInError(error.message) from None
        except ApiError as error:
            response = error.response
            if response.action in PASSING:
                raise SignInError(error.message) from None
            known = response.known_as.advice if response.action is ErrorAction.STOP else ""
            raise SignInError(
                f"BILL {where} refused the sign-in to organization {login.organization_id} with "
                f"{', '.join(response.codes) or f'HTTP {response.status}'}: "
                f"{known or 'check username, password, dev_key, organization_id and api_url'}.",
                wrong_credentials=not known or bool(WRONG_CREDENTIALS & {*response.codes}),
            ) from None
        body = answer.body if isinstance(answer.body, dict) else {}
        session_id, organization_id = body.get("sessionId"), body.get("organizationId", login.organization_id)
        if not isinstance(session_id, str):
            raise SignInError(f"BILL {where} answered the sign-in without a sessionId; check api_url and any proxy.")
        self._check_organization(organization_id)
        LOGGER.info("Signed in to BILL %s, organization %s.", where, organization_id)
        self.server_time = answer.server_time
        return Lasting(sessionId=session_id, devKey=login.key)  # BILL: Postman collection


class SpendTokenAuthenticator(Lasting):
    """The API token of Spend & Expense: one header, no session (BILL: authentication with an API token)."""

    def __init__(self, token: str) -> None:
        super().__init__(apiToken=token)
