"""`max`, and the opaque cursors in `nextPage` and `prevPage`.

Documented: `max` is 1 to 100, default 20; `page` is a cursor copied from an answer. Observed: 0 and 101 answer 400; the
key is absent at the end. Undocumented, hence a choice of two behaviours:

* `offset`: the cursor is a position in the result as it is *now*. A row that leaves the part already read moves every
  later row one place forward, and a reader misses one.
* `keyset`: the cursor is the last row's sort value and id; the page holds what comes after it now.

Assumed: a cursor carries its query; `filters` and `sort` may be repeated along with `page` but must then be the same,
otherwise 400; `max` may change, and without it the cursor's own is used; cursors do not expire, unless
`protocol.mid_list` says so; they are not bound to a session; one that was not handed out for this list answers 400.
"""

from __future__ import annotations

import base64
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from bill_emulator.company.stored import NUMBER
from bill_emulator.company.table import entry_key
from bill_emulator.protocol.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bill_emulator.company.stored import Stored
    from bill_emulator.company.table import Entry, Key, View
    from bill_emulator.protocol.mid_list import Mark

DEFAULT_MAX = 20
LARGEST_MAX = 100
_DIGITS = 9

EMPTY_PAGES = "empty_pages"
REPEAT_CURSOR = "repeat_cursor"
REPEAT_PAGE = "repeat_page"
QUIRKS: Mapping[str, str] = {
    EMPTY_PAGES: "between two pages comes an empty one, with a nextPage",
    REPEAT_CURSOR: "the second page hands out the cursor that led to it, forever",
    REPEAT_PAGE: "the second page comes again and again, each time under a new cursor",
}


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """What an opaque cursor holds: the query, the page size and a position (`offset`, or `value` and `id`)."""

    resource: str
    filters: str | None
    sort: str | None
    max: int
    offset: int = 0
    value: int | str | None = None
    id: str = ""
    before: bool = False  # keyset only: the page ends before the position
    blank: bool = False  # an empty page comes first
    again: int = 0  # makes the same position look new
    number: int = 0  # together with `made`: see bill_emulator.protocol.mid_list.Mark
    made: int = 0


def read_max(text: str | None) -> int | None:
    """The page size asked for, None when absent; raises `ValidationError` outside 1-100."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and 1 <= int(text) <= LARGEST_MAX):
        raise ValidationError(f"max: must be a number from 1 to {LARGEST_MAX}")
    return int(text)


def read_cursor(resource: str, parameters: Mapping[str, str]) -> Cursor:
    """Where a list request wants to read: at the start, or where its cursor says. Raises `ValidationError`."""
    filters, sort = parameters.get("filters"), parameters.get("sort")
    size = read_max(parameters.get("max"))
    page = parameters.get("page")
    if page is None:
        return Cursor(resource, filters, sort, size or DEFAULT_MAX)
    cursor = _decoded(page)
    if cursor.resource != resource:
        raise ValidationError("page: this cursor belongs to another list")
    if filters is not None and filters != cursor.filters:
        raise ValidationError("page: this cursor was made with other filters")
    if sort is not None and sort != cursor.sort:
        raise ValidationError("page: this cursor was made with another sort")
    return cursor if size is None else replace(cursor, max=size)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows and the cursors around it (None at the ends)."""

    rows: list[Stored]
    next: Cursor | None
    previous: Cursor | None


def _by_offset(view: View, cursor: Cursor, *, descending: bool) -> Page:
    """The rows from the cursor's position in the present result on."""
    count, start = len(view.entries), cursor.offset
    end = min(count, start + cursor.max)
    low, high = (count - end, count - start) if descending else (start, end)
    rows = [entry[2] for entry in view.entries[max(0, low) : max(0, high)]]
    following = replace(cursor, offset=end) if end < count else None
    previous = replace(cursor, offset=max(0, start - cursor.max)) if start else None
    return Page(rows[::-1] if descending else rows, following, previous)


def _by_key(view: View, cursor: Cursor, *, descending: bool) -> Page:
    """The rows after the one with the cursor's sort value and id (or before it, when going back)."""
    entries, size = view.entries, cursor.max
    start, end = 0, len(entries)
    # Going on in ascending order, or back in descending order, takes the low end of what is left.
    upwards = cursor.before == descending
    if cursor.id:
        key = _key(view, cursor)
        if upwards:
            start = bisect_right(entries, key, key=entry_key)
        else:
            end = bisect_left(entries, key, key=entry_key)
    if upwards:
        end = min(end, start + size)
    else:
        start = max(start, end - size)
    page = entries[start:end]
    below = _beside(cursor, page[0], before=not descending) if page and start > 0 else None
    above = _beside(cursor, page[-1], before=descending) if page and end < len(entries) else None
    rows = [entry[2] for entry in page]
    return Page(rows[::-1], below, above) if descending else Page(rows, above, below)


STYLES: Mapping[str, Callable[..., Page]] = {"offset": _by_offset, "keyset": _by_key}


def marked(page: Page, mark: Mark) -> Page:
    """The page with cursors that remember this."""
    if not mark.made:
        return page
    cursors = (cursor and replace(cursor, **mark._asdict()) for cursor in (page.next, page.previous))
    return Page(page.rows, *cursors)


class Pager:
    """Pages of one style, with the quirks that are switched on (see `QUIRKS`)."""

    def __init__(self, style: str, quirks: frozenset[str]) -> None:
        if style not in STYLES:
            raise ValueError(f"cursor must be one of {', '.join(STYLES)}")
        if unknown := quirks - QUIRKS.keys():
            raise ValueError(f"unknown quirk {', '.join(sorted(unknown))}; known are {', '.join(QUIRKS)}")
        self._cut = STYLES[style]
        self._quirks = quirks

    def page(self, view: View, cursor: Cursor, *, descending: bool) -> Page:
        """The page at the cursor."""
        if cursor.blank:
            return Page([], replace(cursor, blank=False), None)
        page = self._cut(view, cursor, descending=descending)
        following = page.next
        if following is None or not self._quirks:
            return page
        first = cursor.offset == 0 and not cursor.id
        if REPEAT_CURSOR in self._quirks and not first:
            following = cursor
        elif REPEAT_PAGE in self._quirks and not first:
            following = replace(cursor, again=cursor.again + 1)
        elif EMPTY_PAGES in self._quirks:
            following = replace(following, blank=True)
        return Page(page.rows, following, page.previous)


class Place(NamedTuple):
    """What a simple cursor holds: how many rows it leaves out; `again`, `number` and `made` as in `Cursor`."""

    offset: int = 0
    again: int = 0
    number: int = 0
    made: int = 0


def read_place(parameters: Mapping[str, str], name: str) -> Place:
    """Where a simple cursor leads; to the start without one. Raises `ValidationError`."""
    try:
        return Place(*map(int, base64.b64decode(parameters.get(name) or "MA==", validate=True).decode().split("/")))
    except (TypeError, ValueError):
        raise ValidationError(f"{name}: this is no cursor") from None


def shown_place(place: Place) -> str:
    """A simple cursor."""
    return base64.b64encode("/".join(map(str, place)).encode()).decode()


def encoded(cursor: Cursor) -> str:
    """The cursor as opaque text, safe in a URL."""
    data = msgspec.json.encode(cursor)
    return base64.urlsafe_b64encode(zlib.crc32(data).to_bytes(4) + data).decode().rstrip("=")


def _decoded(text: str) -> Cursor:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(data[4:], type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise ValidationError("page: this is no cursor") from None
    if zlib.crc32(data[4:]).to_bytes(4) != data[:4]:
        raise ValidationError("page: this is no cursor")
    return cursor


def position(cursor: Cursor) -> str:
    """Which page of which reading a cursor stands for."""
    return f"{cursor.resource}/{cursor.filters}/{cursor.sort}/{cursor.offset}/{cursor.value}/{cursor.id}"


def _key(view: View, cursor: Cursor) -> Key:
    value = cursor.value
    if view.field is not None and view.field.kind == NUMBER:
        return Decimal(str(value)), cursor.id
    return (0 if value is None else value), cursor.id


def _beside(cursor: Cursor, entry: Entry, *, before: bool) -> Cursor:
    value = str(entry[0]) if isinstance(entry[0], Decimal) else entry[0]
    return replace(cursor, value=value, id=entry[1], before=before, offset=0)
