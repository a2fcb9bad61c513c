"""The `Date` header: right, or as origins, proxies and odd servers are known to send it.

HTTP documents one `Date` in its preferred form, and two obsolete forms that readers must understand (RFC 850, asctime).
That BILL's gateway would ever send anything but the preferred form is undocumented.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PREFERRED_LENGTH = len("Sun, 06 Nov 1994 08:49:37")


def _right(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


def _zone(at: datetime, zone: str) -> str:
    return f"{_right(at)[:_PREFERRED_LENGTH]} {zone}"


def _asctime(at: datetime) -> str:
    day, number, month, year, time, _ = _right(at).replace(",", "").split()
    return f"{day} {month} {int(number):>2} {time} {year}"


def _rfc850(at: datetime) -> str:
    _, number, month, year, time, _ = _right(at).split()
    return f"{_DAYS[at.weekday()]}, {number}-{month}-{year[-2:]} {time} GMT"


@dataclass(frozen=True, slots=True)
class Form:
    """A way to send the date: what it is, and the values of as many headers."""

    text: str
    values: Callable[[datetime], list[str]]


DATES: Mapping[str, Form] = {
    "right": Form("as it should be", lambda at: [_right(at)]),
    "twice": Form("two equal headers", lambda at: [_right(at)] * 2),
    "two": Form("two headers, a second apart", lambda at: [_right(at), _right(at + timedelta(seconds=1))]),
    "asctime": Form("Sun Nov  6 08:49:37 1994, an obsolete form that HTTP documents", lambda at: [_asctime(at)]),
    "rfc850": Form("Sunday, 06-Nov-94 08:49:37 GMT, another one", lambda at: [_rfc850(at)]),
    "minus_zero": Form("zone -0000", lambda at: [_zone(at, "-0000")]),
    "zone": Form("the same moment in zone +0200", lambda at: [_zone(at + timedelta(hours=2), "+0200")]),
    "huge_zone": Form("zone +9999", lambda at: [_zone(at, "+9999")]),
    "year_9999": Form("the last second of the calendar", lambda _: ["Fri, 31 Dec 9999 23:59:59 GMT"]),
    "garbage": Form("no date", lambda _: ["the day before yesterday"]),
    "empty": Form("nothing", lambda _: [""]),
    "none": Form("no header", lambda _: []),
}


class DateHeaders:
    """The `Date` headers of a server: of one form for the first `answers` (None: for all), then right."""

    def __init__(self, form: str, answers: int | None = None) -> None:
        if form not in DATES:
            raise ValueError(f"date must be one of {', '.join(DATES)}")
        if answers is not None and answers < 0:
            raise ValueError("date_answers must not be negative")
        self._form = DATES[form]
        self._left = answers
        self._lock = threading.Lock()

    def next(self, at: datetime) -> list[tuple[bytes, bytes]]:
        """The headers of the next answer, which goes out at this moment."""
        return [(b"date", value.encode()) for value in self._next_form().values(at)]

    def _next_form(self) -> Form:
        with self._lock:
            if self._left is None:
                return self._form
            self._left -= 1
            return self._form if self._left >= 0 else DATES["right"]
