"""Lays the figures out as one HTML page, which needs nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from demo.report import charts, figures, words
from demo.report.charts import HATCHED, PALEST, SOLID, Bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from demo.report.figures import Figures

NAMED = 4
"""Organizations that the head names; of more it tells the number."""


@dataclass(frozen=True)
class Panel:
    """A chart of one currency, with the figure that stands above it."""

    currency: str | None
    chart: Markup
    figure: str
    caption: str


def html(found: Figures) -> str:
    """Write the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = {company.id: company.name for company in found.organizations}
    return environment.get_template("page.html").render(
        found=found,
        made=datetime.now(UTC),
        names=names,
        who=who(list(names.values())),
        several=len(names) > 1,
        period=f"{found.months[0]:%B %Y} to {found.months[-1]:%B %Y}",
        tiles=tiles(found),
        words=words,
        nothing=words.NOTHING,
        solid=SOLID,
        aging=[aging(found, each) for each in found.currencies if found.aging(each).open_bills],
        cash=[cash(found, each) for each in found.currencies if each in found.cash],
        spending=[spending(found, each) for each in found.currencies if each in found.spending],
        vendors=[vendors(found, each) for each in found.currencies if each in found.vendors],
        durations=durations(found) if found.approvals.approved else None,
        medians=medians(found) if found.approvals.approved else None,
    )


def who(names: Sequence[str]) -> str:
    """Say whose figures these are."""
    if len(names) > NAMED:
        return words.counted(len(names), "organization")
    return ", ".join(names) or "No organization"


def tiles(found: Figures) -> list[tuple[str, str]]:
    """Return the counts at the top of the page: each with what is counted."""
    newest = max((company.last_read for company in found.organizations if company.last_read), default=None)
    exceptions = [sum(control.found for control in found.controls)] if found.controls is not None else []
    return [
        (words.number(sum(each.open_bills for each in found.positions)), "open bills"),
        (words.number(found.overdue_bills), "of them overdue"),
        (words.number(found.approvals.waiting), "bills wait for approval"),
        (words.hours(found.approvals.median), "median approval time"),
        *((words.number(number), "control exceptions") for number in exceptions),
        (words.day(newest), "newest row read from BILL"),
    ]


def aging(found: Figures, currency: str | None) -> Panel:
    """Show what is owed in a currency, by age."""
    whole = found.aging(currency)
    rows = [
        Bar(name, ((amount, shade),), words.amount(amount, currency))
        for name, amount, shade in zip(figures.AGES, whole.ages, charts.OLDER, strict=True)
    ]
    return Panel(
        currency,
        charts.bars(f"Owed in {words.code(currency)} on {words.day(found.as_of)}, by age", rows),
        words.amount(whole.owed, currency),
        f"on {words.counted(whole.open_bills, 'bill')}, {words.share(whole.overdue, whole.owed)} of it overdue",
    )


def cash(found: Figures, currency: str | None) -> Panel:
    """Show what is to leave in a currency, by week."""
    weeks = found.cash[currency]
    rows = [
        Bar(
            week.name, ((week.scheduled, SOLID), (week.due, HATCHED)), words.amount(week.scheduled + week.due, currency)
        )
        for week in weeks
    ]
    under_way = sum((week.scheduled for week in weeks), figures.ZERO)
    return Panel(
        currency,
        charts.bars(f"Cash out in {words.code(currency)} by week", rows),
        words.amount(under_way + sum((week.due for week in weeks), figures.ZERO), currency),
        f"in all, {words.amount(under_way, currency)} under way",
    )


def spending(found: Figures, currency: str | None) -> Panel:
    """Show what was spent in a currency, by account and month."""
    spent = found.spending[currency]
    total = words.amount(sum(spent.months, figures.ZERO), currency)
    rows = [
        ("All accounts", spent.months, total),
        *((name, amounts, words.amount(sum(amounts, figures.ZERO), currency)) for name, amounts in spent.accounts),
    ]
    months = [f"{month:%b}" for month in found.months]
    return Panel(
        currency, charts.months(f"Spent in {words.code(currency)} by account", months, rows), total, "in 12 months"
    )


def vendors(found: Figures, currency: str | None) -> Panel:
    """Show with which vendors most was spent in a currency."""
    ranked = found.vendors[currency]
    rows = [Bar(name, ((amount, SOLID),), words.amount(amount, currency)) for name, amount in ranked.first]
    if ranked.others:
        name = "1 other" if ranked.others == 1 else f"All {ranked.others:,} others"
        rows.append(Bar(name, ((ranked.rest, PALEST),), words.amount(ranked.rest, currency)))
    return Panel(
        currency,
        charts.bars(f"Top vendors in {words.code(currency)}", rows, above=True),
        words.amount(ranked.total, currency),
        f"with {words.counted(len(ranked.first) + ranked.others, 'vendor')}",
    )


def durations(found: Figures) -> Markup:
    """Show how many bills were approved how fast."""
    approvals = found.approvals
    rows = [
        Bar(name, ((bills, SOLID),), f"{words.number(bills)} ({words.share(bills, approvals.approved)})")
        for name, bills in approvals.durations
    ]
    return charts.bars("Bills by the time that their approval took", rows)


def medians(found: Figures) -> Markup:
    """Show the median approval time of each month."""
    values = found.approvals.by_month
    texts = [words.NOTHING if value is None else words.number(value) for value in values]
    months = [f"{month:%b}" for month in found.months]
    return charts.columns("Median hours to approval, by month of approval", months, values, texts)
