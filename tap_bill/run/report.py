"""What a run did, as one block for the log."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_bill.api.stats import SIGN_IN, SPEND_CHECK, SYNC_AUDIT
from tap_bill.resources import RESOURCES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_bill.api.stats import RunStats, StreamStats


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the read of one organization ended.

    Args:
        organization_id: which; empty where only Spend & Expense is read.
        run_stats: what its streams did.
        error: why it ended early, as one sentence; empty if it did not.
    """

    organization_id: str
    run_stats: RunStats
    error: str = ""

    @property
    def failures(self) -> list[str]:
        """Everything that went wrong, each once."""
        lines = (*(stats.failed for _, stats in self.run_stats), self.error)
        return list(dict.fromkeys(line for text in lines for line in text.splitlines()))


_COLUMNS: t.Final = (
    ("stream", "<"),
    ("read", ">"),
    ("written", ">"),
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
            SYNC_AUDIT,
        )
    )
}
"""Line tables are listed below the stream that they come from."""

_LINE_TABLES: t.Final = {lines.name for resource in RESOURCES for lines in resource.lines}


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the block: a table for each organization; of several, without the streams that brought nothing."""
    several = len(outcomes) > 1
    return "\n".join(["Summary of the run", *(line for outcome in outcomes for line in _section(outcome, several))])


def _section(outcome: Outcome, brief: bool) -> Iterable[str]:  # noqa: FBT001 - one caller
    run_stats = sorted(outcome.run_stats, key=lambda item: _ORDER[item[0]])
    total = [
        f"{sum(getattr(stats, count) for _, stats in run_stats):,} {what}"
        for count, what in (
            ("read", "records read"),
            ("records", "rows written"),
            *((each, each) for each in ("requests", "retries", "renewals")),
        )
    ]
    waited = sum(stats.waited for _, stats in run_stats)
    whose = f"Organization {outcome.organization_id}" if outcome.organization_id else "Spend & Expense"
    yield f"{whose}: {', '.join(total)}, {waited:.0f} s waited for limits"
    yield from (f"  FAILED: {failure}" for failure in outcome.failures)
    lines = [(stream, stats) for stream, stats in run_stats if not (brief and stats.is_quiet)]
    rows = [tuple(name for name, _ in _COLUMNS), *(_row(stream, stats) for stream, stats in lines)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows if lines else ():
        cells = (f"{cell:{align}{width}}" for cell, width, (_, align) in zip(row, widths, _COLUMNS, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
    if quiet := len(run_stats) - len(lines):
        yield f"  and {quiet} without anything new"


def _row(stream: str, stats: StreamStats) -> tuple[str, ...]:
    counts = [stats.read, stats.records, stats.requests, stats.retries, stats.renewals]
    return (
        f"  {stream}" if stream in _LINE_TABLES else stream,
        *(f"{count:,}" if count else "-" for count in counts),
        f"{stats.waited:.0f} s" if stats.waited else "-",
        stats.before or "-",
        stats.after or "-",
        _remark(stats),
    )


def _remark(stats: StreamStats) -> str:
    """Say what is to be said of a stream besides numbers."""
    if stats.failed:
        return "failed"
    if stats.skipped:
        return f"skipped: {stats.skipped}"
    if stats.followed:
        return f"{stats.followed:,} read again"
    return "nothing new" if stats.is_read and not stats.records else ""
