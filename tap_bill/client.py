"""Reading from one organization of BILL."""

from __future__ import annotations

import typing as t

from tap_bill.auth import BillSessionAuthenticator, Login, SignIns
from tap_bill.exchange import Exchange, Policy, Request
from tap_bill.gate import Gate
from tap_bill.quota import HourlyQuota, ServerClock
from tap_bill.tally import SIGN_IN
from tap_bill.transport import Transport

if t.TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from datetime import datetime

    from tap_bill.tally import Tallies


class Shared:
    """What all organizations of a run share: BILL's hourly limits count per developer key, whoever uses it."""

    def __init__(self, settings: Mapping[str, t.Any]) -> None:
        self.clock = ServerClock()
        self.sign_ins = SignIns()
        self._max_wait: float = settings["rate_limit_max_wait"]
        self._own_limit: int | None = settings.get("max_requests_per_hour")
        self._quotas: dict[str, tuple[HourlyQuota, HourlyQuota]] = {}

    def quotas(self, dev_key: str) -> tuple[HourlyQuota, HourlyQuota]:
        """Return the limits of a developer key: of requests, and of sign-ins."""
        if dev_key not in self._quotas:
            self._quotas[dev_key] = (
                HourlyQuota("requests", self.clock, max_wait=self._max_wait, own_limit=self._own_limit),
                HourlyQuota("sign-ins", self.clock, max_wait=self._max_wait),
            )
        return self._quotas[dev_key]


class BillClient:
    """Reads one organization.

    Args:
        settings: the tap's, with the sign-in fields of this organization.
        shared: what it shares with other organizations.
        tallies: counts by stream.
        user_agent: header of every request.
        stop: set when the run ends.
    """

    def __init__(
        self,
        settings: Mapping[str, t.Any],
        shared: Shared,
        tallies: Tallies,
        *,
        user_agent: str,
        stop: threading.Event,
    ) -> None:
        login = Login(settings)
        gate = Gate(settings["max_concurrency"])
        self.organization_id = login.organization_id
        self._tallies = tallies
        self._transport = Transport(
            settings["api_url"], timeout=settings["request_timeout"], user_agent=user_agent, gate=gate
        )
        self._exchange = Exchange(
            self._transport,
            gate,
            shared.clock,
            Policy(settings["max_retries"], settings["rate_limit_max_wait"]),
            stop=stop,
            organization_id=login.organization_id,
        )
        requests, sign_ins = shared.quotas(login.dev_key)
        self._quotas = (requests,)
        self._session = BillSessionAuthenticator(
            self._exchange,
            login,
            quotas=(requests, sign_ins),
            sign_ins=shared.sign_ins,
            tally=tallies.of(SIGN_IN),
        )
        self._server_time: datetime | None = None

    def sign_in(self) -> None:
        """Make sure that there is a session.

        Raises:
            BillError: if BILL refuses the credentials, or cannot be reached.
        """
        self._session.headers()

    def server_time(self) -> datetime | None:
        """BILL's clock as of the newest answer, signing in first where nothing was asked yet.

        It is at or before the moment in which any later request is answered. None where BILL sends no `Date`.
        """
        self.sign_in()
        return self._server_time or self._session.server_time

    def get(self, stream: str, path: str, params: Mapping[str, str]) -> t.Any:
        """Return the parsed JSON of a GET.

        Args:
            stream: the stream that asks, for messages.
            path: begins with `/v3/`.
            params: query parameters, not encoded.

        Raises:
            BillError: what `Exchange.send` raises.
        """
        answer = self._exchange.send(
            Request(stream, "GET", path, params), self._session, self._quotas, self._tallies.of(stream)
        )
        self._server_time = answer.server_time
        return answer.body

    def close(self, *, sign_out: bool) -> None:
        """Sign out, if so wished, and close the connections; the client is not used after that."""
        if sign_out:
            self._session.sign_out()
        self._transport.close()
