"""One request to BILL and its answer: sent to the configured host and nowhere else."""

from __future__ import annotations

import logging
import re
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from tap_bill.api import exact_json
from tap_bill.api.error_responses import read_error
from tap_bill.api.errors import NoAnswerError, UnreachableError
from tap_bill.settings import LOOPBACK, environment, root_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from tap_bill.api.error_responses import ErrorResponse
    from tap_bill.api.limits import ConcurrencyLimiter

LOGGER = logging.getLogger("tap-bill")

REDIRECT: t.Final = 3
"""First digit of the statuses that send a client elsewhere."""

LONGEST: t.Final = 1_000_000
"""Seconds that a socket is waited for, at most: sockets do not accept much more."""

FOR_EVER: t.Final = 1e9
"""Seconds that any longer `Retry-After` is cut to; a thread can still wait for so long."""

OLDEST: t.Final = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD: t.Final = timedelta(days=1)
"""What BILL's clock may show: nothing before that, nor so much later than this machine's, however wrong that is.

A bookmark of the future would hide every row that changes until then.
"""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What came back.

    Args:
        body: the parsed JSON; None where there is none.
        error: what is wrong with the answer, or None where it can be used.
        server_time: BILL's clock from the `Date` header (whole seconds, UTC), or None without one that can be true.
        retry_after: seconds from the `Retry-After` header, or None without one.
    """

    body: t.Any
    error: ErrorResponse | None
    server_time: datetime | None
    retry_after: float | None


class Transport:
    """Sends requests to one base URL over one connection pool, never more at once than the limiter lets through.

    Redirects are refused: following one would carry the credentials to another host.
    BILL counts everything that an organization's key has under way, so sign-in and sign-out pass the same limiter.
    """

    def __init__(self, api_url: str, *, timeout: float, user_agent: str, limiter: ConcurrencyLimiter) -> None:
        self.api_url = api_url
        self._timeout = min(timeout, LONGEST)
        self._told = False
        self._limiter = limiter
        self._http = requests.Session()
        self._http.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        # A loopback server is reached directly, whatever proxy the environment names.
        self._http.trust_env = not re.match(LOOPBACK, api_url)

    def send(  # noqa: PLR0913 - what a request has
        self,
        method: str,
        path: str,
        *,
        auth: AuthBase,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        at_root: bool = False,
    ) -> ApiResponse:
        """Send one request and read the whole answer.

        Args:
            method: GET or POST.
            path: begins with `/v3/`, or is that of OAuth's tokens.
            auth: adds the credentials of this request; `requests` then leaves `.netrc` alone.
            params: query parameters, not encoded.
            json: body of a POST.
            form: the same, as form data.
            at_root: whether the path follows the host of the base URL instead of the whole of it.

        Raises:
            NoAnswerError: if no whole answer came back.
            UnreachableError: if that will not change, or a redirect came back.
        """
        what = f"{method} {path}"
        try:
            with self._limiter:
                response = self._http.request(
                    method,
                    (root_of(self.api_url) if at_root else self.api_url) + path,
                    params=params,
                    json=json,
                    data=form,
                    auth=auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            kind, reason = _reason(error, self._timeout)
            raise kind(f"No answer from BILL {environment(self.api_url)} to {what}: {reason}") from None
        if response.status_code // 100 == REDIRECT:
            raise UnreachableError(
                f"BILL {environment(self.api_url)} answered {what} with a redirect (HTTP {response.status_code}) to "
                f"{_host(response.headers.get('Location'))}, which is refused because it would carry the credentials "
                "elsewhere; check api_url and any proxy"
            )
        body, is_json = exact_json.parse(response.content)
        server_time = self._clock(response.headers.get("Date", ""))
        return ApiResponse(
            body,
            read_error(response.status_code, body, is_json=is_json),
            server_time,
            _seconds(response.headers.get("Retry-After", ""), server_time or datetime.now(UTC)),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _clock(self, header: str) -> datetime | None:
        """Return BILL's clock from `Date`: of several the earliest, which can hide nothing."""
        times = [time for time in map(_time, _DATES.split(header)) if time and time >= OLDEST]
        if not times:
            return None
        if (time := min(times)) <= datetime.now(UTC) + AHEAD:
            return time
        if not self._told:
            self._told = True
            LOGGER.warning(
                "BILL's clock (%s) is ahead of this machine's clock by more than a day, so it is not gone by; "
                "check this machine's clock.",
                time.isoformat(),
            )
        return None


def _reason(error: requests.RequestException, timeout: float) -> tuple[type[UnreachableError], str]:
    """Say why in words that hold no URL, header or body, and whether another try may help."""
    match error:
        case requests.exceptions.ProxyError():
            return NoAnswerError, "the proxy of this machine's environment refused the connection; check HTTPS_PROXY"
        case requests.exceptions.SSLError():
            return _CERTIFICATE if "CERTIFICATE_VERIFY_FAILED" in str(error) else _TLS
        case requests.Timeout():
            return NoAnswerError, f"nothing came within request_timeout ({timeout:g} seconds); run again, or raise it"
        case requests.ConnectionError() | requests.exceptions.ChunkedEncodingError():
            return NoAnswerError, "the connection failed; check that the host is up and reachable from here"
        case requests.exceptions.ContentDecodingError():
            return NoAnswerError, "the answer could not be unpacked; check any proxy in between"
        case _:
            return UnreachableError, f"{type(error).__name__}; check api_url"


_CERTIFICATE: t.Final = (
    UnreachableError,
    "the TLS certificate could not be verified; check the system's certificates and any proxy",
)
_TLS: t.Final = (NoAnswerError, "the TLS connection failed; check any proxy in between")


def _host(location: str | None) -> str:
    """Name the host of a URL that the other side chose, and nothing else of it."""
    try:
        host = urlsplit(location or "").hostname or ""
    except ValueError:
        host = ""
    return host if re.fullmatch(r"[a-z0-9.:-]{1,100}", host) else "another place"


_DATES: t.Final = re.compile(r",\s*(?=[A-Za-z]{3,9},|[A-Za-z]{3} [A-Za-z]{3}\b)")
"""The comma between two dates; HTTP joins headers of one name, and most dates have a comma inside."""


def _time(text: str) -> datetime | None:
    """Read a date in any of HTTP's three spellings; without a zone it is UTC."""
    try:
        time = parsedate_to_datetime(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _seconds(header: str, now: datetime) -> float | None:
    """Read `Retry-After`, a number of seconds or a date; `now` is the time on the clock that wrote the date."""
    if header.strip().isdecimal():
        return min(float(header), FOR_EVER)
    time = _time(header)
    return min(max(0.0, (time - now).total_seconds()), FOR_EVER) if time else None
