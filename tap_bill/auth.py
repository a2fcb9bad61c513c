"""Signing in to BILL and out again."""

from __future__ import annotations

import logging
import typing as t
from threading import Lock

from requests.auth import AuthBase

from tap_bill.errors import BillError, SignInError, read_refusal, sign_in_advice
from tap_bill.settings import environment

if t.TYPE_CHECKING:
    from datetime import datetime

    from requests import PreparedRequest

    from tap_bill.transport import Transport

LOGGER = logging.getLogger("tap-bill")


class Credentials(t.NamedTuple):
    """The four values of `POST /v3/login`."""

    username: str
    password: str
    dev_key: str
    organization_id: str

    def __repr__(self) -> str:
        """Show whose they are and no secret, wherever they are printed."""
        return f"Credentials(username={self.username!r}, organization_id={self.organization_id!r})"


class _NoCredentials(AuthBase):
    """For the login itself: a session does not exist yet, and `devKey` belongs in the body."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


class _SessionHeaders(AuthBase):
    """The two headers of every call after the login (BILL: Postman collection)."""

    def __init__(self, session_id: str, dev_key: str) -> None:
        self._headers = {"sessionId": session_id, "devKey": dev_key}

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(self._headers)
        return request


class BillSessionAuthenticator:
    """One BILL session of one organization, shared by all its streams.

    The session is made at the first request, replaced when BILL says it is dead, and ended by `sign_out`.
    BILL allows 200 logins an hour per developer key, so however many readers meet a dead session, one login is made.
    """

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials
        self._lock = Lock()
        self._headers: _SessionHeaders | None = None
        self.server_time: datetime | None = None

    @property
    def organization_id(self) -> str:
        """The organization whose data the session reads."""
        return self._credentials.organization_id

    def headers(self) -> AuthBase:
        """Return the credentials of the next request, signing in first where there is no session.

        Raises:
            SignInError: if BILL refuses the credentials.
            UnreachableError: if BILL cannot be reached.
        """
        with self._lock:
            if self._headers is None:
                self._headers = self._sign_in()
            return self._headers

    def discard(self, headers: AuthBase) -> None:
        """Forget a session that BILL called dead, unless another reader has replaced it already."""
        with self._lock:
            if self._headers is headers:
                self._headers = None

    def sign_out(self) -> None:
        """End the session; a failure is of no consequence, since an idle session ends by itself."""
        with self._lock:
            headers, self._headers = self._headers, None
        if headers is None:
            return
        try:
            self._transport.send("POST", "/v3/logout", auth=headers)
        except BillError as error:
            LOGGER.debug("Signing out failed: %s", error.message)

    def _sign_in(self) -> _SessionHeaders:
        credentials = self._credentials
        answer = self._transport.send(
            "POST",
            "/v3/login",
            auth=_NoCredentials(),
            json={
                "username": credentials.username,
                "password": credentials.password,
                "organizationId": credentials.organization_id,
                "devKey": credentials.dev_key,
            },
        )
        where = environment(self._transport.api_url)
        if refusal := read_refusal(answer.status, answer.body):
            code = ", ".join(refusal.codes) or f"HTTP {refusal.status}"
            raise SignInError(
                f"BILL {where} refused the sign-in to organization {credentials.organization_id} with {code}: "
                f"{sign_in_advice(refusal)}."
            )
        body = answer.body if isinstance(answer.body, dict) else {}
        session_id, organization_id = body.get("sessionId"), body.get("organizationId", credentials.organization_id)
        if not isinstance(session_id, str):
            raise SignInError(f"BILL {where} answered the sign-in without a sessionId; check api_url and any proxy.")
        if organization_id != credentials.organization_id:
            raise SignInError(
                f"BILL {where} opened organization {organization_id} instead of {credentials.organization_id}; "
                "set organization_id to the organization that these credentials belong to."
            )
        LOGGER.info("Signed in to BILL %s, organization %s.", where, organization_id)
        self.server_time = answer.server_time
        return _SessionHeaders(session_id, credentials.dev_key)
