"""The command line's switches for a server that misbehaves; each is named like the keyword of `Emulator` that it sets.

All of it is undocumented: BILL says nothing about ever behaving so.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, TypeVar

from bill_emulator.arguments import compound, seconds, share, whole, yes
from bill_emulator.company.odd_times import FIELDS, ODDITIES, STORED, OddTimes
from bill_emulator.protocol.date_header import DATES
from bill_emulator.protocol.faults import KINDS
from bill_emulator.protocol.mid_list import MidList
from bill_emulator.protocol.scope import TOKEN_PATH, TOKEN_PLACES
from bill_emulator.protocol.sorting import ENDS, ORDERS, WHENS
from bill_emulator.protocol.tokens import ERRORS, EXPIRES_IN, REFUSALS, SCOPES
from bill_emulator.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_T = TypeVar("_T")

BREAK = "PATH=KIND[,status=STATUS][,code=CODE][,after=N][,times=N|forever][,...]"
"""How to name a path that always fails."""

_WHENS = "never, always, only along with a filter, only without one, only under max=1"


def add_switches(parser: argparse.ArgumentParser) -> None:
    """Let a command line know them."""
    _add_tokens(parser.add_argument_group("OAuth client credentials (what BILL does not document about them)"))
    _add_refusals(parser.add_argument_group("filters and sorts that are not taken (undocumented)"))
    _add_oddities(parser.add_argument_group("odd answers (undocumented)"))


def count(
    group: argparse._ActionsContainer,
    switch: str,
    default: float,
    text: str,
    kind: Callable[[str], float] = whole,
) -> None:
    """A switch with a number; the number that means nothing special is named in its text."""
    group.add_argument(switch, type=kind, default=default, metavar="SECONDS" if kind is seconds else "N", help=text)


def many(  # noqa: PLR0913 -- what argparse needs to know
    group: argparse._ActionsContainer,
    switch: str,
    keyword: str,
    choices: Iterable[str],
    text: str,
    *,
    metavar: str | None = None,
) -> None:
    """A switch that may be repeated, each time with one of these names."""
    group.add_argument(
        switch, dest=keyword, action="append", default=[], choices=tuple(choices), metavar=metavar, help=text
    )


def _add_tokens(group: argparse._ArgumentGroup) -> None:
    places = ", ".join(f"{name}: {path or 'no path'}" for name, path in TOKEN_PLACES.items())
    group.add_argument(
        "--token-place", choices=tuple(TOKEN_PLACES), default="connect", help=f"the path that issues tokens: {places}"
    )
    count(group, "--token-seconds", 3600, "how long a token lives", seconds)
    count(group, "--token-requests", 0, "end a token after N requests; 0: never")
    group.add_argument(
        "--token-expires-in",
        choices=tuple(EXPIRES_IN),
        default="right",
        help="what the answer says about that: the right number, nothing, a word, the number as text, 0, or less",
    )
    group.add_argument(
        "--token-errors",
        choices=tuple(ERRORS),
        default="rfc6749",
        help="shape of the error that answers a request for a token: an object as in RFC 6749, or BILL's array",
    )
    group.add_argument("--token-scope", choices=SCOPES, default="accounting", help="scope of the app; both may read")
    group.add_argument(
        "--token-refusal",
        choices=REFUSALS,
        default="bill",
        help="shape of the 401 that answers a token which has ended: BILL's array, or as in RFC 6750",
    )


def _add_refusals(group: argparse._ArgumentGroup) -> None:
    fields = sorted({name for resource in RESOURCES.values() for name in resource.filters})
    text = "filters on this field, such as createdTime (may be repeated)"
    many(group, "--refuse-filter", "refuse_filters", fields, f"answer 400 to {text}", metavar="FIELD")
    many(group, "--ignore-filter", "ignore_filters", fields, f"ignore {text}", metavar="FIELD")
    group.add_argument("--refuse-sort", choices=tuple(WHENS), default="never", help=f"answer 400 to a sort: {_WHENS}")
    group.add_argument(
        "--ignore-sort",
        nargs="?",
        const="always",
        choices=tuple(WHENS),
        default="never",
        help=f"accept a sort, but ignore it: {_WHENS}",
    )
    group.add_argument(
        "--unsorted",
        choices=tuple(ORDERS),
        default="id",
        help="what order comes then, and where no sort is asked for: by id, the last updated first, shuffled, or as "
        "asked for but for one row in 20 (up to 200 days off)",
    )
    group.add_argument(
        "--unsorted-share",
        type=share,
        default=1.0,
        metavar="SHARE",
        help="only on so many of the pages, which hold the right rows in that order; from 0 to 1",
    )
    count(group, "--order-seed", 7, "which rows and pages that concerns")
    group.add_argument(
        "--untimed", choices=ENDS, default="first", help="where rows without a time stand in an ascending list"
    )


def broken_path(text: str) -> tuple[str, str, dict[str, Any]]:
    """Which path fails, of which fault, and the rest of `Faults.plan`; `times` is forever unless it is there."""
    head, more = compound(text, _BREAK)
    path, _, kind = head.partition("=")
    if path != TOKEN_PATH and not path.startswith("/v3/"):
        raise argparse.ArgumentTypeError(f"{path!r} is not a path like /v3/bills")
    if kind not in KINDS:
        raise argparse.ArgumentTypeError(f"unknown fault {kind!r}; known are {', '.join(KINDS)}")
    return path, kind, {"times": None} | more


def _add_oddities(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--odd-time",
        dest="odd_times",
        action="append",
        default=[],
        type=_odd_times,
        metavar="HOW[,field=FIELD][,share=SHARE][,list=LIST][,stored=STORED]",
        help="odd times in rows of these lists (list=bills,list=vendors; without: of all), may be repeated. "
        f"FIELD: {', '.join(FIELDS)}; STORED, by what filters and sorts go: {', '.join(STORED)}; HOW: "
        + "; ".join(f"{name}: {oddity.text}" for name, oddity in ODDITIES.items()),
    )
    group.add_argument(
        "--mid-list",
        action="append",
        default=[],
        type=_mid_list,
        metavar="STATUS[,code=CODE][,after=N][,times=N|forever][,every=N][,list=LIST][,stays=no]",
        help="answer STATUS to a request with a cursor once N pages (1) of that reading were sent: 400 is a refused "
        "cursor, 403,code=BDC_1302 a permission that ended; so many times (1) for each list, only each Nth such "
        "request; the cursor stays refused unless stays=no (may be repeated)",
    )
    count(group, "--cursor-life", 0, "refuse a cursor with 400 after the next N list requests; 0: never")
    group.add_argument(
        "--date",
        choices=tuple(DATES),
        default="right",
        help="how answers are dated: " + "; ".join(f"{name}: {form.text}" for name, form in DATES.items()),
    )
    group.add_argument("--date-answers", type=whole, metavar="N", help="so are the first N answers only, then right")


def _odd_times(text: str) -> OddTimes:
    how, more = compound(text, {"field": str, "share": share, "list": str, "stored": str, "seed": whole})
    return _made(OddTimes, how, **_with_lists(more))


def _mid_list(text: str) -> MidList:
    kinds: dict[str, Callable[[str], Any]] = {
        "code": str,
        "after": whole,
        "times": _times,
        "every": whole,
        "list": str,
        "stays": yes,
    }
    status, more = compound(text, kinds)
    return _made(MidList, status=whole(status), **_with_lists(more))


def _times(text: str) -> int | None:
    return None if text == "forever" else whole(text)


_BREAK: dict[str, Callable[[str], Any]] = {
    "status": whole,
    "code": str,
    "after": whole,
    "times": _times,
    "method": str,
    "organization": str,
    "seconds": seconds,
    "retry_after": str,
    "location": str,
    "message": str,
    "levels": whole,
}


def _with_lists(more: dict[str, Any]) -> dict[str, Any]:
    """The lists that were named one by one, together."""
    if "list" in more:
        lists = more.pop("list")
        more["lists"] = lists if isinstance(lists, tuple) else (lists,)
    return more


def _made(make: Callable[..., _T], *values: Any, **more: Any) -> _T:
    try:
        return make(*values, **more)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
