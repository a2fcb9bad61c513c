"""Which trial is made on which list, in which order; a trial that cannot be made says why."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import BillError, ErrorAction, Scope
from tap_bill.resources import Changes
from tap_bill.settings import Way, way_into
from tap_bill.verify import lists
from tap_bill.verify.asking import BudgetError, Listing, UntriableError, Watch
from tap_bill.verify.findings import Finding, Note, Verdict, fails, holds, judged, untried

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_bill.resources import Resource
    from tap_bill.sync.context import RunContext


MINUTE: t.Final = 60
"""Seconds that two clocks may differ by."""


SHOWN_BY: t.Final = {
    "token_place": (Way.OAUTH,),
    "token_life": (Way.OAUTH,),
    "trusted_told": (Way.SESSION, Way.CONSOLE),
}
"""Which way to sign in shows what."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial, and where it is made.

    Args:
        make: makes it on a list.
        shows: the assumptions that it shows.
        concerns: whether it can be made on a resource.
        is_once: whether one list is enough.
    """

    make: Callable[[Listing], Iterator[Finding]]
    shows: tuple[str, ...]
    concerns: Callable[[Resource], bool]
    is_once: bool = False


def _has_pages(resource: Resource) -> bool:
    return bool(resource.paging and resource.paging.most)


def _has_clock(resource: Resource) -> bool:
    return resource.changes in lists.IN_ORDER


BY_ID: t.Final = ("vendors", "bills", "customers", "invoices")
"""The lists for which BILL documents the filter by id."""

FIRST: t.Final = Trial(
    lists.first_page,
    ("list_envelope", "list_end", "max_100", "known_fields"),
    lambda _: True,
)
"""What every other trial goes by."""

TRIALS: t.Final = (
    Trial(
        lists.too_large, ("bad_max", "error_array"), lambda each: _has_pages(each) and not each.is_spend, is_once=True
    ),
    Trial(lists.too_large, ("bad_max",), lambda each: each.name == "spend_transactions"),
    Trial(
        lists.updated,
        ("updated_filter", "updated_filter_inclusive", "updated_filter_complete"),
        lambda each: each.changes is not Changes.NONE,
    ),
    Trial(lists.unquoted, ("times_need_quotes",), _has_clock, is_once=True),
    Trial(
        lists.created,
        ("created_filter", "created_filter_inclusive", "created_filter_complete", "sort_created"),
        _has_clock,
    ),
    Trial(lists.by_id, ("id_in",), lambda each: each.name in BY_ID),
    Trial(lists.cursors, ("max_1", "cursor_moves_on"), _has_pages),
    Trial(lists.untimed, ("untimed_at_one_end",), _has_clock),
    Trial(lists.retired, ("retired_filter", "retired_complete"), lambda each: len(each.queries) > 1),
    Trial(
        lists.archived,
        ("archived_listed",),
        lambda each: _has_pages(each) and not each.is_spend,
    ),
)
"""In the order in which they are made, so that what comes last is tried on fewer lists where requests are used up."""


class Trials:
    """Makes the trials of one organization, one request after the other.

    Args:
        context: of the organization.
        watch: on every answer.
        listings: the lists that are selected and may be asked for.
        shown: the same set as that of the lists.
    """

    def __init__(self, context: RunContext, watch: Watch, listings: Sequence[Listing], shown: set[str]) -> None:
        self._context = context
        self._watch = watch
        self._listings = listings
        self._shown = shown
        self.ended: BillError | None = None
        """What ended the trials early."""

    def all(self) -> Iterator[Finding]:
        """Make them all."""
        yield from self._signed_in()
        yield from self._on_lists()
        yield from self._between_lists()
        yield from self._of_all_answers()

    def _signed_in(self) -> Iterator[Finding]:
        """Say what signing in has shown, and ask for the session."""
        yield holds("sign_in")
        way, watch = way_into(self._context.settings, spend=False), self._watch
        if way is not Way.OAUTH and all(listing.resource.is_spend for listing in self._listings):
            return  # nothing else was signed in to
        if way is Way.OAUTH:
            yield judged("token_place", "", Note.AT_HOST if True in watch.token_answers else None)
            if watch.life is None:
                yield fails("token_life", "", Note.NOT_TOLD)
            else:
                yield holds("token_life", "", Note.SECONDS, count=int(watch.life))
        elif way:
            if watch.trusted is None:
                yield fails("trusted_told", "", Note.NOT_TOLD)
            else:
                yield holds("trusted_told", "", Note.TRUSTED if watch.trusted else Note.UNTRUSTED)
        for assumption, ways in SHOWN_BY.items():
            if way not in ways:
                yield untried(assumption, "", Note.OTHER_WAY)
        if way:
            yield from self._made(("session_told",), "", self._session)

    def _session(self) -> Iterator[Finding]:
        try:
            self._context.client.get("verify-api", "/v3/login/session", {})
        except ApiError as error:
            if not error.response.means_no_such_path and not lists.is_refusal(error):
                raise
            yield fails("session_told", "", Note.REFUSED, status=error.response.status)
            return
        told = self._watch.session == self._context.organization_id
        yield judged("session_told", "", None if told else Note.NOT_TOLD)

    def _on_lists(self) -> Iterator[Finding]:
        """Make the trials on each list that they concern."""
        for listing in self._listings:
            yield from self._try(FIRST, listing)
        for trial in TRIALS:
            for listing in self._listings:
                if trial.concerns(listing.resource) and not (trial.is_once and self._shown.issuperset(trial.shows)):
                    if trial.make is lists.archived and "archived" not in listing.stream.schema["properties"]:
                        continue
                    yield from self._try(trial, listing)

    def _try(self, trial: Trial, listing: Listing) -> Iterator[Finding]:
        for finding in self._made(trial.shows, listing.name, lambda: trial.make(listing)):
            if finding.verdict is Verdict.FAILS:
                listing.failed.add(finding.assumption)
            if finding.verdict is not Verdict.UNTRIED:
                self._shown.add(finding.assumption)
            yield finding

    def _between_lists(self) -> Iterator[Finding]:
        """Compare payments with the bills that they name."""
        by_name = {listing.name: listing for listing in self._listings}
        if by_name.keys() >= {"payments", "bills"}:
            payments, bills = by_name["payments"], by_name["bills"]
            yield from self._made(("payment_moves_bill",), "bills", lambda: lists.moved_bills(payments, bills))

    def _of_all_answers(self) -> Iterator[Finding]:
        """Say what all answers together have shown."""
        watch = self._watch
        yield judged("date_header", "", Note.ANSWERS if watch.undated else None, count=watch.undated)
        if watch.undated < watch.answers:
            ahead = int(watch.ahead)
            yield judged("date_is_now", "", Note.SECONDS if abs(ahead) > MINUTE else None, count=ahead)
        else:
            yield untried("date_is_now", "", Note.NOT_TOLD)

    def _made(
        self, shows: str | tuple[str, ...], stream: str, make: Callable[[], Iterator[Finding]]
    ) -> Iterator[Finding]:
        """Make a trial; of what it does not come to, say why."""
        left = dict.fromkeys([shows] if isinstance(shows, str) else shows)
        why, status = Note.NO_ANSWER, 0
        try:
            if self.ended:
                raise self.ended
            for finding in make():
                left.pop(finding.assumption, None)
                yield finding
        except BudgetError:
            why = Note.BUDGET
        except UntriableError as error:
            why = error.note
        except ApiError as error:
            may_not = error.response.action is ErrorAction.SKIP_STREAM
            why, status = Note.MAY_NOT_READ if may_not else Note.REFUSED, error.response.status
        except BillError as error:
            if error.scope is Scope.RUN:
                self.ended = error
        else:
            return
        for assumption in left:
            yield untried(assumption, stream, why, status=status)
