"""What a run did, as one block for the log, and as a file for programs."""

from __future__ import annotations

import json
import logging
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tap_bill.api.errors import BillError, ConfigurationError
from tap_bill.api.stats import SIGN_IN, SPEND_CHECK, SYNC_AUDIT
from tap_bill.resources import RESOURCES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_bill.api.stats import RunStats, StreamStats

LOGGER = logging.getLogger("tap-bill")

UNFINISHED: t.Final = "It was not read to the end."
"""Why an organization failed that the run ended before."""


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


def tell(outcomes: Sequence[Outcome], file: str = "") -> None:
    """Log what a run did, and write it to `file` if one is named; a reader finds the whole file or none."""
    LOGGER.info(summary(outcomes))
    if not file:
        return
    path = Path(file)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.write_text(json.dumps(as_data(outcomes), indent=1), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        BillError(f"summary_file cannot be written: {path}: {error.strerror}.").show()


def forget(file: str) -> None:
    """Remove the summary of an earlier run, so that nobody takes it for that of a run which was killed.

    Raises:
        ConfigurationError: if no summary can be written there.
    """
    if not file:
        return
    if not Path(file).parent.is_dir():
        raise ConfigurationError(f"summary_file is in a folder that does not exist: {file}; make it, or name another")
    try:
        Path(file).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"summary_file cannot be replaced: {file}: {error.strerror}.") from None


def as_data(outcomes: Sequence[Outcome]) -> dict[str, t.Any]:
    """Return what `summary` says, for programs."""
    return {
        "complete": not any(outcome.failures for outcome in outcomes),
        "stopped": any(outcome.error == UNFINISHED for outcome in outcomes),
        "organizations": [
            {
                "organization_id": outcome.organization_id,
                "complete": not outcome.failures,
                "errors": outcome.failures,
                "streams": {stream: _counts(stats) for stream, stats in _ordered(outcome)},
            }
            for outcome in outcomes
        ],
    }


def _counts(stats: StreamStats) -> dict[str, t.Any]:
    return {
        "read": stats.read,
        "written": stats.records,
        "requests": stats.requests,
        "retries": stats.retries,
        "renewals": stats.renewals,
        "seconds_waited": round(stats.waited, 3),
        "bookmark_before": stats.before,
        "bookmark_after": stats.after,
        "skipped": stats.skipped or None,
        "failed": stats.failed or None,
    }


def _ordered(outcome: Outcome) -> list[tuple[str, StreamStats]]:
    return sorted(outcome.run_stats, key=lambda item: _ORDER[item[0]])


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the block: a table for each organization; of several, without the streams that brought nothing."""
    several = len(outcomes) > 1
    return "\n".join(["Summary of the run", *(line for outcome in outcomes for line in _section(outcome, several))])


def _section(outcome: Outcome, brief: bool) -> Iterable[str]:  # noqa: FBT001 - one caller
    run_stats = _ordered(outcome)
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
