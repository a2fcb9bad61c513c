"""One HTTP exchange with BILL: sent to the configured host and nowhere else."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore

import msgspec
import requests

from tap_bill.errors import UnreachableError
from tap_bill.settings import LOOPBACK, environment

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from requests.auth import AuthBase

JSON: t.Final = msgspec.json.Decoder(float_hook=Decimal)
"""Parses an answer; every number with a fraction keeps its digits as a Decimal."""


REDIRECT: t.Final = 3
"""First digit of the statuses that send a client elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: the HTTP status; never a redirect.
        body: the parsed JSON, or None where the body was empty or not JSON.
        server_time: BILL's clock from the `Date` header (whole seconds, UTC), or None without one.
    """

    status: int
    body: t.Any
    server_time: datetime | None


class Transport:
    """Sends requests to one base URL over one connection pool, never more than `limit` at once.

    Redirects are refused: following one would carry `sessionId` and `devKey` to another host.
    BILL counts everything that an organization's key has under way, so sign-in and sign-out pass the same gate.
    """

    def __init__(self, api_url: str, *, timeout: float, user_agent: str, limit: int) -> None:
        self.api_url = api_url
        self._timeout = timeout
        self._gate = BoundedSemaphore(limit)
        self._http = requests.Session()
        self._http.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        # A loopback server is reached directly, whatever proxy the environment names.
        self._http.trust_env = not re.match(LOOPBACK, api_url)

    def send(
        self,
        method: str,
        path: str,
        *,
        auth: AuthBase,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Args:
            method: GET or POST.
            path: begins with `/v3/`.
            auth: adds the credentials of this request; `requests` then leaves `.netrc` alone.
            params: query parameters, not encoded.
            json: body of a POST.

        Raises:
            UnreachableError: if nothing usable came back, or a redirect did.
        """
        try:
            with self._gate:
                response = self._http.request(
                    method,
                    self.api_url + path,
                    params=params,
                    json=json,
                    auth=auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            reason = _reason(error, self._timeout)
            raise UnreachableError(
                f"No answer from BILL {environment(self.api_url)} to {method} {path}: {reason}."
            ) from None
        if response.status_code // 100 == REDIRECT:
            raise UnreachableError(
                f"BILL {environment(self.api_url)} answered {method} {path} with a redirect, which is refused because "
                "it would carry the credentials elsewhere; check api_url and any proxy."
            )
        return Answer(response.status_code, _parse(response.content), _server_time(response.headers.get("Date")))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _reason(error: requests.RequestException, timeout: float) -> str:
    """Say why in words that hold no URL, header or body."""
    match error:
        case requests.exceptions.ProxyError():
            return "the proxy of this machine's environment refused the connection; check HTTPS_PROXY"
        case requests.exceptions.SSLError():
            return "the TLS certificate could not be verified; check the system's certificates and any proxy"
        case requests.Timeout():
            return f"nothing came within request_timeout ({timeout:g} seconds); run again, or raise it"
        case requests.ConnectionError():
            return "the connection failed; check that the host is up and reachable from here"
        case _:
            return f"{type(error).__name__}; run again"


def _parse(content: bytes) -> object:
    try:
        return JSON.decode(content)
    except msgspec.DecodeError:
        return None


def _server_time(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
