"""Trials on lists: pages, cursors, filters, sorts, and what the rows show."""

from __future__ import annotations

import typing as t

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import ErrorAction, PagingError
from tap_bill.resources import Changes
from tap_bill.sync.times import spell
from tap_bill.verify.asking import UntriableError
from tap_bill.verify.findings import Finding, Note, Verdict, fails, holds, judged, untried
from tap_bill.verify.looking import (
    SECOND,
    Range,
    ascends,
    have_keys,
    middle,
    time_in,
    times_in,
    unknown_fields,
    usual_spelling,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_bill.verify.asking import Answer, Listing

CREATED: t.Final = "createdTime"
UPDATED: t.Final = "updatedTime"
TIMES: t.Final = (CREATED, UPDATED)
ASCENDING: t.Final = {"sort": f"{CREATED}:asc"}
DESCENDING: t.Final = {"sort": f"{CREATED}:desc"}

IN_ORDER: t.Final = (Changes.DOCUMENTED, Changes.ASSUMED)
"""The lists that the tap asks for in the order of creation."""

Query = t.Mapping[str, str]

SMALLEST: t.Final = 20
"""Rows that BILL sends where nothing is said about it."""


def is_refusal(error: ApiError) -> bool:
    """Tell whether BILL refused what was asked for, rather than who asked."""
    return error.response.may_mean_the_query


def _refused(assumption: str, stream: str, error: ApiError) -> Finding:
    """Return that BILL refused what was asked for; any other error goes on."""
    if not is_refusal(error):
        raise error
    return fails(assumption, stream, Note.REFUSED, status=error.response.status)


def first_page(listing: Listing) -> Iterator[Finding]:
    """Ask for a list as the tap does, and look at the rows."""
    name, resource = listing.name, listing.resource
    try:
        yield from _begin(listing)
    except PagingError:
        yield fails("list_envelope", name, Note.OTHER_SHAPE)
        return
    except ApiError as error:
        if error.response.action is ErrorAction.SKIP_STREAM:
            raise
        yield fails("list_envelope", name, Note.REFUSED, status=error.response.status)
        return
    yield holds("list_envelope", name)
    page = t.cast("Answer", listing.first)
    if listing.most:
        yield _size(listing, page)
        if not page.cursor:
            yield judged("list_end", name, Note.EMPTY_CURSOR if page.has_empty_cursor else None)
    if not page.rows:
        raise UntriableError(Note.NO_ROWS)
    keys = "spend_uuids" if resource.is_spend else "records_have_ids"
    yield judged(keys, name, None if have_keys(page.ids) else Note.NO_KEY)
    unknown = unknown_fields(listing.stream, page.rows, listing.context.owner)
    yield judged("known_fields", name, Note.FIELDS if unknown else None, names=unknown)
    if resource.changes is not Changes.NONE:
        yield from _times(listing, page)


def _begin(listing: Listing) -> Iterator[Finding]:
    """Ask for the first page, and without what BILL refuses to do."""
    query = listing.resource.queries[0]
    try:
        listing.first = listing.ask(query)
    except ApiError as error:
        if not (query and is_refusal(error)):
            raise
        listing.first = listing.ask({})
        asked = "retired_filter" if "filters" in query else "spend_order"
        listing.refuses_sort = "sort" in query
        yield fails(asked, listing.name, Note.REFUSED, status=error.response.status)
    else:
        listing.as_asked = True
        if "sort" in query:
            yield _in_order(listing, listing.first, query["sort"])


def _in_order(listing: Listing, page: Answer, sort: str) -> Finding:
    """Look whether a page is in the order that was asked for."""
    field, _, direction = sort.partition(":")
    times = times_in(page.rows, field)
    assumption = "sort_created" if field == CREATED else "spend_order"
    kept = ascends(times[::-1] if direction == "desc" else times)
    return judged(assumption, listing.name, None if kept else Note.DISORDER)


def _size(listing: Listing, page: Answer) -> Finding:
    count = len(page.rows)
    if count > listing.most:
        return fails("max_100", listing.name, Note.MORE)
    if count < listing.most and page.cursor:
        return fails("max_100", listing.name, Note.FEWER)
    if count > SMALLEST:
        return holds("max_100", listing.name)
    return untried("max_100", listing.name, Note.FEW_ROWS)


def _times(listing: Listing, page: Answer) -> Iterator[Finding]:
    """Look at the times of rows."""
    name = listing.name
    fields = (UPDATED,) if listing.resource.is_spend else TIMES  # card transactions have no createdTime
    odd = tuple(field for field in fields if not all(time_in(row, field) for row in page.rows))
    yield judged("times_present", name, Note.UNREADABLE if odd else None, names=odd)
    other = tuple(field for field in fields if not all(usual_spelling(row, field) for row in page.rows))
    yield judged("time_spelling", name, Note.SPELLED if other else None, names=other)
    if now := listing.client.server_time():
        later = [time for time in times_in(page.rows, UPDATED) if time > now + SECOND]
        yield judged("rows_by_same_clock", name, Note.LATER if later else None)


# Filters and sorts


def updated(listing: Listing) -> Iterator[Finding]:
    """Ask for what changed since a moment in the middle."""
    page = listing.begun
    times = times_in(page.rows, UPDATED)
    if len(times) < 2:  # noqa: PLR2004 - one to come, one to be left out
        raise UntriableError(Note.FEW_ROWS)
    wanted = Range(UPDATED, middle(times))
    yield from _ranged(listing, wanted, f'{UPDATED}:gte:"{spell(wanted.low)}"', ASCENDING)


def created(listing: Listing) -> Iterator[Finding]:
    """Ask for what was created between two moments."""
    page = listing.begun
    times = times_in(page.rows, CREATED)
    if len(times) < 2:  # noqa: PLR2004 - as above
        raise UntriableError(Note.FEW_ROWS)
    low, high = middle(times, 1 / 3), middle(times, 2 / 3)
    high = max(high, low + 2 * SECOND)
    filters = f'{CREATED}:gte:"{spell(low)}",{CREATED}:lt:"{spell(high)}"'
    yield from _ranged(listing, Range(CREATED, low, high), filters, DESCENDING)


def _ranged(listing: Listing, wanted: Range, filters: str, sort: Query) -> Iterator[Finding]:
    """Ask for a range of time, in an order of creation where the list has one, and look at what comes."""
    name, page = listing.name, listing.begun
    assumption = "updated_filter" if wanted.field == UPDATED else "created_filter"
    if not wanted.has_strangers(page.rows):
        raise UntriableError(Note.ALIKE)
    try:
        got, order = _filtered(listing, filters, sort)
    except ApiError as error:
        yield _refused(assumption, name, error)
        raise UntriableError(Note.NO_FILTER) from None
    if order:
        yield order
    if wanted.has_strangers(got.rows):
        yield fails(assumption, name, Note.IGNORED)
        raise UntriableError(Note.NO_FILTER)
    yield holds(assumption, name)
    if got.cursor and not (order and order.verdict is Verdict.HOLDS and order.assumption == "sort_created"):
        raise UntriableError(Note.LONG)
    yield judged(f"{assumption}_inclusive", name, wanted.misses(page, got, at_bound=True))
    yield judged(f"{assumption}_complete", name, wanted.misses(page, got, at_bound=False))


def _filtered(listing: Listing, filters: str, sort: Query) -> tuple[Answer, Finding | None]:
    """Ask with a filter and a sort, or without the sort where BILL refuses it; return what that shows of the sort."""
    in_order = listing.resource.changes in IN_ORDER
    sort = sort if in_order else listing.resource.queries[0]
    order: Finding | None = None
    if not listing.refuses_sort:
        try:
            got = listing.ask({**sort, "filters": filters})
            return got, _in_order(listing, got, sort["sort"])
        except ApiError as error:
            order = _refused("sort_created" if in_order else "spend_order", listing.name, error)
    got = listing.ask({"filters": filters})
    listing.refuses_sort = True
    return got, order


def unquoted(listing: Listing) -> Iterator[Finding]:
    """Ask with a time that has no quotes."""
    times = times_in(listing.begun.rows, UPDATED)
    if not times:
        raise UntriableError(Note.FEW_ROWS)
    if "updated_filter" in listing.failed:
        raise UntriableError(Note.NO_FILTER)
    try:
        listing.ask({"filters": f"{UPDATED}:gte:{spell(middle(times))}"}, 1)
    except ApiError as error:
        if not is_refusal(error):
            raise
        yield holds("times_need_quotes", listing.name)
    else:
        yield fails("times_need_quotes", listing.name, Note.ANSWERED)


NAMED: t.Final = 3
"""Records that are asked for by their ids."""


def by_id(listing: Listing) -> Iterator[Finding]:
    """Ask for a few records by their ids."""
    ids = [id_ for id_ in listing.begun.ids[:NAMED] if id_]
    if not ids:
        raise UntriableError(Note.NO_KEY)
    try:
        got = listing.ask({"filters": f'id:in:"{",".join(ids)}"'})
    except ApiError as error:
        yield _refused("id_in", listing.name, error)
        return
    missing, others = {*ids} - {*got.ids}, {*got.ids} - {*ids}
    problem = Note.ROWS_MISSING if missing else Note.OTHERS if others else None
    yield judged("id_in", listing.name, problem)


def untimed(listing: Listing) -> Iterator[Finding]:
    """Look where rows without a time stand."""
    page = listing.begun
    if all(time_in(row, CREATED) for row in page.rows):
        raise UntriableError(Note.LONG if page.cursor else Note.TIMED)
    up, down = listing.ask(ASCENDING), listing.ask(DESCENDING)
    if up.cursor:
        raise UntriableError(Note.LONG)
    has_time = [bool(time_in(row, CREATED)) for row in up.rows]
    starts_without = bool(down.rows) and not time_in(down.rows[0], CREATED)
    if has_time == sorted(has_time):
        yield holds("untimed_at_one_end", listing.name, Note.FIRST)
    elif has_time == sorted(has_time, reverse=True) and starts_without:
        yield holds("untimed_at_one_end", listing.name, Note.LAST)
    else:
        yield fails("untimed_at_one_end", listing.name, Note.IN_BETWEEN)


def archived(listing: Listing) -> Iterator[Finding]:
    """Look whether archived rows come where nobody asks about them."""
    page = listing.begun
    if any(row.get("archived") is True for row in page.rows):
        yield holds("archived_listed", listing.name)
        return
    try:
        got = listing.ask({"filters": "archived:eq:true"}, 1)
    except ApiError as error:
        if not is_refusal(error):
            raise
        raise UntriableError(Note.REFUSED) from None
    if any(row.get("archived") is not True for row in got.rows):
        raise UntriableError(Note.IGNORED)
    if not got.rows:
        raise UntriableError(Note.NONE_ARCHIVED)
    if page.cursor:
        raise UntriableError(Note.LONG)
    yield fails("archived_listed", listing.name, Note.ROWS_MISSING)


# Cursors


def cursors(listing: Listing) -> Iterator[Finding]:
    """Read two pages of one row."""
    name = listing.name
    _ = listing.begun
    in_order = listing.resource.changes in IN_ORDER
    query: Query = ASCENDING if in_order else listing.resource.queries[0]  # so that new rows move no others
    if listing.refuses_sort:
        query, in_order = {}, False
    try:
        one = listing.ask(query, 1)
    except ApiError as error:
        if not (is_refusal(error) and in_order):
            raise
        yield fails("sort_created", name, Note.REFUSED, status=error.response.status)
        query, in_order = {}, False
        one = listing.ask(query, 1)
    yield judged("max_1", name, None if len(one.rows) == 1 else Note.MORE if one.rows else Note.FEWER)
    if not one.cursor:
        raise UntriableError(Note.FEW_ROWS)
    two, found, query = _follow(listing, query, one.cursor)
    yield found
    if two is None:
        return
    yield judged("cursor_moves_on", name, Note.SAME_ROWS if {*one.ids} & {*two.ids} else None)
    if in_order and "sort_created" not in listing.failed:
        yield _order_over_pages(listing, [*one.rows, *two.rows])
    elif listing.resource.changes in IN_ORDER:
        yield untried("sort_over_pages", name, Note.NO_ORDER)
    yield from _again(listing, query, one.cursor, two)


def _follow(listing: Listing, query: Query, cursor: str) -> tuple[Answer | None, Finding, Query]:
    """Ask for the page after a cursor, without the rest of the query where BILL refuses that; return how it went."""
    name, asked = listing.name, "query_beside_cursor" if query else "cursor_moves_on"
    try:
        return listing.ask(query, 1, cursor), holds(asked, name), query
    except ApiError as error:
        refused = _refused(asked, name, error)
    if query:
        two, found, query = _follow(listing, {}, cursor)
        return two, refused if two else found, query
    return None, refused, query


def _order_over_pages(listing: Listing, rows: list[t.Any]) -> Finding:
    """Look whether the oldest rows of the list came, in their order."""
    times = times_in(rows, CREATED)
    if len(times) < len(rows):
        return untried("sort_over_pages", listing.name, Note.UNREADABLE)
    oldest = sorted(times_in(listing.begun.rows, CREATED))[: len(times)]
    kept = ascends(times) and all(time <= known for time, known in zip(times, oldest, strict=False))
    return judged("sort_over_pages", listing.name, None if kept else Note.DISORDER)


def _again(listing: Listing, query: Query, cursor: str, two: Answer) -> Iterator[Finding]:
    """Send a cursor again, and then alone; one list is enough."""
    name = listing.name
    if "cursor_twice" not in listing.shown:
        try:
            same = listing.ask(query, 1, cursor)
        except ApiError as error:
            yield _refused("cursor_twice", name, error)
            yield untried("cursor_repeats", name, Note.REFUSED, status=error.response.status)
        else:
            yield holds("cursor_twice", name)
            # Where somebody changed the list in between, it is the same from then on.
            is_same = same.ids == two.ids or listing.ask(query, 1, cursor).ids == same.ids
            yield judged("cursor_repeats", name, None if is_same else Note.OTHERS)
    if query and not listing.resource.is_spend and "cursor_carries_query" not in listing.shown:
        try:
            alone = listing.ask({}, 1, cursor)
            yield judged("cursor_carries_query", name, Note.OTHERS if alone.ids != two.ids else None)
        except ApiError as error:
            yield _refused("cursor_carries_query", name, error)


# Payments and bills


def moved_bills(payments: Listing, bills: Listing) -> Iterator[Finding]:
    """Look whether the bills that payments name have changed since these were made."""
    paid: dict[str, datetime] = {}
    for payment in payments.begun.rows:
        if time := time_in(payment, CREATED):
            shares = payment.get("billPayments")
            for share in shares if isinstance(shares, list) else ():
                if isinstance(share, dict) and isinstance(id_ := share.get("billId"), str):
                    paid[id_] = max(time, paid.get(id_, time))
    newest = sorted(paid, key=lambda id_: paid[id_], reverse=True)[:SMALLEST]
    if not newest:
        raise UntriableError(Note.NO_PAYMENTS)
    known = dict(zip(bills.begun.ids, bills.begun.rows, strict=True))
    if not known.keys() >= {*newest}:
        got = bills.ask({"filters": f'id:in:"{",".join(newest)}"'})
        known = dict(zip(got.ids, got.rows, strict=True))
    times = {id_: time for id_ in newest if id_ in known and (time := time_in(known[id_], UPDATED))}
    if not times:
        raise UntriableError(Note.UNREADABLE)
    older = sum(time + SECOND < paid[id_] for id_, time in times.items())
    yield judged("payment_moves_bill", bills.name, Note.OLDER if older else None, count=older)


# Errors


def too_large(listing: Listing) -> Iterator[Finding]:
    """Ask for a page that is too large."""
    name = listing.name
    try:
        listing.ask({}, listing.most + 1)
    except ApiError as error:
        status = error.response.status
        yield judged("bad_max", name, None if status == 400 else Note.ANSWERED, status=status)  # noqa: PLR2004
        body = listing.watch.error
        is_array = isinstance(body, list) and all(isinstance(part, dict) and "message" in part for part in body)
        yield judged("error_array", name, None if is_array else Note.OTHER_SHAPE)
    else:
        yield fails("bad_max", name, Note.ANSWERED)


# Spend & Expense


def retired(listing: Listing) -> Iterator[Finding]:
    """Ask for what is retired, for what is not, and for everything."""
    name = listing.name
    if listing.first is None or not listing.as_asked:
        raise UntriableError(Note.NO_FILTER)
    try:
        parts = [listing.first, *(listing.ask(query) for query in listing.resource.queries[1:])]
    except ApiError as error:
        yield _refused("retired_filter", name, error)
        return
    kept = all(
        row.get("retired", wanted) is wanted
        for page, wanted in zip(parts, (False, True), strict=True)
        for row in page.rows
    )
    yield judged("retired_filter", name, None if kept else Note.IGNORED)
    if not kept:
        raise UntriableError(Note.NO_FILTER)
    whole = listing.ask({})
    if any(page.cursor for page in parts):
        raise UntriableError(Note.LONG)
    missing = {*whole.ids} - {id_ for page in parts for id_ in page.ids}
    yield judged("retired_complete", name, Note.ROWS_MISSING if missing else None)
