"""How the report writes amounts, shares, days and times."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

MINOR_UNITS = dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0) | dict.fromkeys(
    ("BHD", "JOD", "KWD", "OMR", "TND"), 3
)
"""Decimal places of currencies that do not have two (ISO 4217)."""

MINUS = "\N{MINUS SIGN}"
NO_CURRENCY = "No currency"
NOTHING = "\N{EN DASH}"

DAY_HOURS = 48
"""From how many hours on a time is told in days."""


def amount(value: Decimal, currency: str | None) -> str:
    """Write an amount with its currency's decimal places, or with all that it has if they are more."""
    exponent = value.normalize().as_tuple().exponent
    places = max(MINOR_UNITS.get(currency or "", 2), -exponent if isinstance(exponent, int) else 0)
    return f"{value:,.{places}f}".replace("-", MINUS)


def code(currency: str | None) -> str:
    """Name a currency."""
    return currency or NO_CURRENCY


def money(value: Decimal | None, currency: str | None) -> str:
    """Write an amount along with its currency."""
    return NOTHING if value is None else f"{code(currency)} {amount(value, currency)}"


def share(part: Decimal | int, whole: Decimal | int) -> str:
    """Write a part in per cent."""
    if not whole:
        return NOTHING
    percent = Decimal(part) * 100 / Decimal(whole)
    return f"{percent:.0f} %".replace("-", MINUS) if percent == 0 or abs(percent) >= 1 else "< 1 %"


def number(value: int) -> str:
    """Write a count."""
    return f"{value:,}"


def counted(value: int, one: str, more: str = "") -> str:
    """Write a count and what is counted."""
    return f"{value:,} {one if value == 1 else more or f'{one}s'}"


def day(value: date | None) -> str:
    """Write a day."""
    return f"{value.day} {value:%b %Y}" if value else NOTHING


def time(value: datetime | None) -> str:
    """Write a time in UTC."""
    return f"{day(value)}, {value:%H:%M} UTC" if value else NOTHING


def hours(value: int | None) -> str:
    """Write how long something took."""
    if value is None:
        return NOTHING
    return counted(value, "hour") if value < DAY_HOURS else f"{value / 24:.1f} days"
