"""What was found, as a table for people and as JSON for programs; neither holds anything of a record."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import metadata

from tap_bill.verify.assumptions import ASSUMPTIONS, Effect
from tap_bill.verify.findings import Finding, Note, Verdict, untried

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_bill.verify.assumptions import Assumption

MOST_NAMED: t.Final = 4
"""Streams that are named one by one in a line of the table."""

WIDTH: t.Final = max(len(assumption.name) for assumption in ASSUMPTIONS)


@dataclass(frozen=True, slots=True)
class Result:
    """All that was found about one assumption.

    Args:
        assumption: which.
        findings: at least one.
    """

    assumption: Assumption
    findings: Sequence[Finding]

    @property
    def verdict(self) -> Verdict:
        """Whether it is true: not, if it is not anywhere."""
        verdicts = {finding.verdict for finding in self.findings}
        return next(verdict for verdict in (Verdict.FAILS, Verdict.HOLDS, Verdict.UNTRIED) if verdict in verdicts)

    @property
    def is_bad(self) -> bool:
        """Whether the tap does not cope with it."""
        return self.verdict is Verdict.FAILS and self.assumption.effect is not Effect.COPES

    def lines(self) -> Iterable[str]:
        """Return what a person is to know of it."""
        verdict, rest = self.verdict, ""
        if verdict is Verdict.HOLDS:
            found = [finding for finding in self.findings if finding.verdict is verdict]
            remarks = [finding.remark for finding in found if finding.note is not Note.NONE]
            where = self._where(found) if found[0].stream else ""
            rest = "; ".join(part for part in (where, *dict.fromkeys(remarks)) if part)
        else:
            rest = "; ".join(_because(finding for finding in self.findings if finding.verdict is verdict))
        yield f"  {self.assumption.name:{WIDTH}}  {verdict.value}{': ' if rest else ''}{rest}"
        if verdict is Verdict.FAILS:
            yield f"  {'':{WIDTH}}    assumed: {self.assumption.assumed}"
            yield f"  {'':{WIDTH}}    tap-bill {self.assumption.coping}; {self.assumption.effect.value}."

    def _where(self, found: Sequence[Finding]) -> str:
        """Say on how many streams it was seen, of those on which it could have been."""
        streams, all_ = ({finding.stream: None for finding in some} for some in (found, self.findings))
        names = ", ".join(streams) if len(streams) <= MOST_NAMED else f"{len(streams)} streams"
        return f"on {names}" if len(all_) == len(streams) else f"on {len(streams)} of {len(all_)} streams"

    def as_json(self) -> dict[str, t.Any]:
        """Return the same for programs."""
        assumption = self.assumption
        return {
            "assumption": assumption.name,
            "verdict": self.verdict.value,
            "assumed": assumption.assumed,
            "source": assumption.source,
            "confidence": assumption.confidence.value,
            "if_false": assumption.coping,
            "effect_if_false": assumption.effect.value,
            "findings": [
                {
                    "stream": finding.stream or None,
                    "verdict": finding.verdict.value,
                    "note": finding.note.value or None,
                    "fields": list(finding.names),
                    "count": finding.count,
                    "http_status": finding.status or None,
                }
                for finding in self.findings
            ],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was found at one organization.

    Args:
        environment: BILL's, with its URL.
        ways: by which it was signed in to.
        streams: how many lists were looked at.
        used: requests that were sent.
        most: requests that were allowed.
        results: one for each assumption.
    """

    environment: str
    ways: tuple[str, ...]
    streams: int
    used: int
    most: int
    results: Sequence[Result]

    @property
    def bad(self) -> list[str]:
        """The assumptions that do not hold and that the tap does not cope with."""
        return [result.assumption.name for result in self.results if result.is_bad]

    def lines(self) -> Iterable[str]:
        """Return it for people."""
        ways = " and ".join(self.ways)
        yield f"BILL {self.environment}, {ways}, {self.streams} streams: {self.used} of {self.most} requests used."
        for result in self.results:
            yield from result.lines()
        counts = ", ".join(
            f"{sum(result.verdict is verdict for result in self.results)} {words}"
            for verdict, words in ((Verdict.HOLDS, "hold"), (Verdict.FAILS, "do not"), (Verdict.UNTRIED, "not tried"))
        )
        bad = self.bad
        yield f"Of {len(self.results)} assumptions: {counts}. " + (
            f"tap-bill does not cope with: {', '.join(bad)}." if bad else "tap-bill copes with all of it."
        )

    def as_json(self) -> dict[str, t.Any]:
        """Return it for programs."""
        return {
            "environment": self.environment,
            "signed_in_by": list(self.ways),
            "streams": self.streams,
            "requests": self.used,
            "most_requests": self.most,
            "copes": not self.bad,
            "does_not_cope_with": self.bad,
            "assumptions": [result.as_json() for result in self.results],
        }


def results(findings: Iterable[Finding], otherwise: Note) -> list[Result]:
    """Sort findings by assumption; one without any could not be tried for this reason."""
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding not in found[finding.assumption]:
            found[finding.assumption].append(finding)
    return [Result(each, found[each.name] or [untried(each.name, "", otherwise)]) for each in ASSUMPTIONS]


def how_to_attach() -> str:
    """Say where a report is of use."""
    urls = (text.partition(", ") for text in metadata("tap-bill").get_all("Project-URL") or ())
    issues = next((url for name, _, url in urls if name.lower() in {"issues", "bug tracker"}), "")
    where = f"at {issues}" if issues else "in the repository that tap-bill was installed from"
    return (
        "This report holds no ids, names, amounts or secrets. Please attach it to an issue of the form "
        f'"BILL behaves otherwise" {where}, also if everything holds: save it with --verify-api=json > verify.json.'
    )


def _because(findings: Iterable[Finding]) -> Iterable[str]:
    """Name the streams by what is said about them."""
    streams: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for finding in findings:
        streams[finding.remark][finding.stream] = None
    for remark, names in streams.items():
        known = [name for name in names if name]
        shown = f"{len(known)} streams" if len(known) > MOST_NAMED else ", ".join(known)
        yield f"{remark} ({shown})" if shown and remark else remark or shown
