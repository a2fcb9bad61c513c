"""Reads a list of BILL's to its end: one request at a time, following the cursor."""

from __future__ import annotations

import typing as t

from tap_bill.errors import PagingError
from tap_bill.resources import Envelope

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_bill.client import BillClient

Page: t.TypeAlias = list[dict[str, t.Any]]
"""Records as BILL sent them."""

MOST_EMPTY_PAGES: t.Final = 100
"""Empty pages in a row, each with a new cursor, after which a list is taken to have no end."""


def _paged(client: BillClient, stream: str, path: str, params: Mapping[str, str]) -> Iterator[Page]:
    """Yield the pages of a list until `nextPage` is missing or empty.

    An empty page with a cursor is not the end. `sort` and `filters` go along with the cursor: whether BILL
    needs them there is not documented, and readers in production send them.

    Args:
        client: reads the organization.
        stream: the stream that asks, for messages.
        path: begins with `/v3/`.
        params: query parameters of the first request.

    Raises:
        PagingError: if a cursor comes a second time or a page repeats the one before it.
        BillError: whatever the client raises.
    """
    cursors: set[str] = set()
    previous: list[t.Any] = []
    empty = 0
    while True:
        body = client.get(stream, path, params)
        page = _records(body.get("results") if isinstance(body, dict) else None, stream, path)
        ids = [record.get("id") for record in page]
        if ids and ids == previous:
            raise PagingError(f"{stream}: BILL sent the same page twice in a row under different cursors; {_ADVICE}")
        yield page
        if not (cursor := body.get("nextPage")):
            return
        if str(cursor) in cursors:
            raise PagingError(f"{stream}: BILL sent a cursor for the second time, so its list has no end; {_ADVICE}")
        empty = 0 if page else empty + 1
        if empty == MOST_EMPTY_PAGES:
            raise PagingError(f"{stream}: BILL sent {empty} empty pages in a row, each with a new cursor; {_ADVICE}")
        cursors.add(str(cursor))
        previous = ids or previous
        params = {**params, "page": str(cursor)}


def _records(value: object, stream: str, path: str) -> Page:
    """Return a list of records as it is.

    Raises:
        PagingError: if it is not a list of objects.
    """
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise PagingError(f"{stream}: BILL answered GET {path} without a list of records; {_ADVICE}")
    return value


def _array(client: BillClient, stream: str, path: str, params: Mapping[str, str]) -> Iterator[Page]:
    del params  # BILL documents none for bare arrays
    yield _records(client.get(stream, path, {}), stream, path)


def _object(client: BillClient, stream: str, path: str, params: Mapping[str, str]) -> Iterator[Page]:
    del params
    yield _records([client.get(stream, path, {})], stream, path)


READERS: t.Final[Mapping[Envelope, Callable[[BillClient, str, str, Mapping[str, str]], Iterator[Page]]]] = {
    Envelope.PAGED: _paged,
    Envelope.ARRAY: _array,
    Envelope.OBJECT: _object,
}
"""How each shape of answer is read to its end."""

_ADVICE: t.Final = "nothing is lost, the bookmark has not moved: run again, and tell BILL's support if it stays so."
