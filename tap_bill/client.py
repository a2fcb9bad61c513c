"""One request to BILL: signed in, sent, its answer judged."""

from __future__ import annotations

import typing as t

from tap_bill.errors import Reaction, Refusal, RefusedError, UnreachableError, read_refusal
from tap_bill.settings import environment

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_bill.auth import BillSessionAuthenticator
    from tap_bill.transport import Answer, Transport


class BillClient:
    """Reads one organization.

    Args:
        transport: where to send.
        authenticator: whose session to use.
    """

    def __init__(self, transport: Transport, authenticator: BillSessionAuthenticator) -> None:
        self._transport = transport
        self._authenticator = authenticator
        self._server_time: datetime | None = None

    @property
    def organization_id(self) -> str:
        """The organization that is read."""
        return self._authenticator.organization_id

    def sign_in(self) -> None:
        """Make sure that there is a session.

        Raises:
            SignInError: if BILL refuses the credentials.
            UnreachableError: if BILL cannot be reached.
        """
        self._authenticator.headers()

    def server_time(self) -> datetime | None:
        """BILL's clock as of the newest answer, signing in first where nothing was asked yet.

        It is at or before the moment in which any later request is answered. None where BILL sends no `Date`.
        """
        self.sign_in()
        return self._server_time or self._authenticator.server_time

    def get(self, stream: str, path: str, params: Mapping[str, str]) -> t.Any:
        """Return the parsed JSON of a GET.

        A session that BILL calls dead is renewed once and the request repeated once.

        Args:
            stream: the stream that asks, for messages.
            path: begins with `/v3/`.
            params: query parameters, not encoded.

        Raises:
            RefusedError: if BILL answers with an error.
            SignInError: if BILL refuses the credentials.
            UnreachableError: if BILL cannot be reached, or its answer is not JSON.
        """
        headers = self._authenticator.headers()
        answer = self._transport.send("GET", path, auth=headers, params=params)
        refusal = read_refusal(answer.status, answer.body)
        if refusal and refusal.reaction is Reaction.RENEW_SESSION:
            self._authenticator.discard(headers)
            answer = self._transport.send("GET", path, auth=self._authenticator.headers(), params=params)
            refusal = read_refusal(answer.status, answer.body)
        if refusal:
            raise RefusedError(self._explain(stream, path, refusal), refusal)
        return self._accept(stream, path, answer)

    def _accept(self, stream: str, path: str, answer: Answer) -> t.Any:
        if answer.body is None:
            raise UnreachableError(
                f"{stream}: BILL {environment(self._transport.api_url)} answered GET {path} with HTTP {answer.status} "
                "but not with JSON; run again, and check any proxy in between if it stays so."
            )
        self._server_time = answer.server_time
        return answer.body

    def _explain(self, stream: str, path: str, refusal: Refusal) -> str:
        subject = f"{stream}: BILL refused GET {path} for organization {self.organization_id} ({refusal})"
        if refusal.reaction is Reaction.RENEW_SESSION:
            return f"{subject}, also right after a fresh sign-in; check that nothing else signs this user out."
        return f"{subject}."
