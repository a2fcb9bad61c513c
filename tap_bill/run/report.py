"""What a run did, as one block for the log."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_bill.api.stats import SIGN_IN, SPEND_CHECK
from tap_bill.resources import RESOURCES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_bill.api.stats import Tallies, Tally


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the read of one organization ended.

    Args:
        organization_id: which; empty where only Spend & Expense is read.
        tallies: what its streams did.
        error: why it ended early, as one sentence; empty if it did not.
    """

    organization_id: str
    tallies: Tallies
    error: str = ""

    @property
    def failures(self) -> list[str]:
        """Everything that went wrong, each once."""
        told = (*(tally.failed for _, tally in self.tallies), self.error)
        return list(dict.fromkeys(line for text in told for line in text.splitlines()))


_COLUMNS: t.Final = (
    ("stream", "<"),
    ("records", ">"),
    ("requests", ">"),
    ("retries", ">"),
    ("renewals", ">"),
    ("waited", ">"),
    ("bookmark before", "<"),
    ("bookmark after", "<"),
    ("", "<"),
)


_ORDER: t.Final = {
    name: place
    for place, name in enumerate(
        (
            SIGN_IN,
            SPEND_CHECK,
            *(name for resource in RESOURCES for name in resource.tables),
        )
    )
}
"""Line tables stand below the stream that they come from."""

_LINE_TABLES: t.Final = {lines.name for resource in RESOURCES for lines in resource.lines}


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the block: a table for each organization; of several, without the streams that brought nothing."""
    several = len(outcomes) > 1
    return "\n".join(["Summary of the run", *(line for outcome in outcomes for line in _section(outcome, several))])


def _section(outcome: Outcome, brief: bool) -> Iterable[str]:  # noqa: FBT001 - one caller
    tallies = sorted(outcome.tallies, key=lambda item: _ORDER[item[0]])
    total = [
        f"{sum(getattr(tally, count) for _, tally in tallies):,} {count}"
        for count in ("records", "requests", "retries", "renewals")
    ]
    waited = sum(tally.waited for _, tally in tallies)
    whose = f"Organization {outcome.organization_id}" if outcome.organization_id else "Spend & Expense"
    yield f"{whose}: {', '.join(total)}, {waited:.0f} s waited for limits"
    yield from (f"  FAILED: {failure}" for failure in outcome.failures)
    told = [(stream, tally) for stream, tally in tallies if not (brief and tally.is_quiet)]
    rows = [tuple(name for name, _ in _COLUMNS), *(_row(stream, tally) for stream, tally in told)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows if told else ():
        cells = (f"{cell:{align}{width}}" for cell, width, (_, align) in zip(row, widths, _COLUMNS, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
    if quiet := len(tallies) - len(told):
        yield f"  and {quiet} without anything new"


def _row(stream: str, tally: Tally) -> tuple[str, ...]:
    counts = [tally.records, tally.requests, tally.retries, tally.renewals]
    return (
        f"  {stream}" if stream in _LINE_TABLES else stream,
        *(f"{count:,}" if count else "-" for count in counts),
        f"{tally.waited:.0f} s" if tally.waited else "-",
        tally.before or "-",
        tally.after or "-",
        "failed" if tally.failed else f"skipped: {tally.skipped}" if tally.skipped else "",
    )
