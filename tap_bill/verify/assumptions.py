"""THE ASSUMPTIONS about BILL: one row for each, with what the tap does if it is false.

`docs/assumptions.md` is made from this table, and the emulator's marks are compared with it. Facts: BILL's API
reference, its Postman collection, and what other public readers of BILL report.
"""

from __future__ import annotations

import enum
import typing as t


class Confidence(enum.Enum):
    """How well something about BILL is known; the value is for the docs."""

    DOCUMENTED = "documented by BILL"
    OBSERVED = "seen by others"
    THIRD_PARTY = "other readers rely on it"
    ASSUMED = "assumed"


class Effect(enum.Enum):
    """What becomes of the data where an assumption is false; the value ends a line of the report."""

    COPES = "nothing is lost"
    STOPS = "the stream cannot be read, and the run says so"
    LOSES = "rows or changes would be missing"


class Assumption(t.NamedTuple):
    """One assumption.

    Args:
        name: for reports, tests and the emulator's marks.
        assumed: what is assumed.
        source: who says so.
        confidence: how well it is known.
        coping: what the tap does if it is false.
        effect: what that means for the data.
    """

    name: str
    assumed: str
    source: str
    confidence: Confidence
    coping: str
    effect: Effect = Effect.COPES


_WALKS: t.Final = "follows BILL's cursor, and reads the list again until two readings agree"

ASSUMPTIONS: t.Final = (
    # Sign-in
    Assumption(
        "sign_in",
        "`POST /v3/login` opens a session, or `POST /authx/token` issues a token, at the host of `api_url`.",
        "reference of the login; OAuth client credentials",
        Confidence.DOCUMENTED,
        "stops before anything is written, and says which credential is at fault",
        Effect.STOPS,
    ),
    Assumption(
        "token_place",
        "Tokens are issued behind the base URL (`/connect/authx/token`).",
        "the other paths of the reference begin so",
        Confidence.ASSUMED,
        "asks behind the host as well (`/authx/token`)",
    ),
    Assumption(
        "token_life",
        "The answer with a token says in `expires_in` how many seconds it lives.",
        "RFC 6749; BILL calls it short-lived",
        Confidence.ASSUMED,
        "uses the token until BILL refuses it, then asks for another",
    ),
    Assumption(
        "trusted_told",
        "The answer to a login says in `trusted`, true or false, whether MFA has made the session trusted.",
        "reference of the login",
        Confidence.DOCUMENTED,
        "does not go by it: reading needs no trusted session",
    ),
    Assumption(
        "session_told",
        "`GET /v3/login/session` tells the organization that a session or token belongs to.",
        "reference of the session details, for sessions; for tokens only that their scopes may ask",
        Confidence.DOCUMENTED,
        "goes by `organization_id` alone, without comparing it",
    ),
    # The clock
    Assumption(
        "date_header",
        "Every answer has a `Date` header that can be read.",
        "HTTP; BILL documents no headers",
        Confidence.ASSUMED,
        "leaves the bookmarks where they are, so that the next run reads the same again",
    ),
    Assumption(
        "date_is_now",
        "BILL's `Date` is the time of day, within a minute of this machine's clock.",
        "HTTP",
        Confidence.ASSUMED,
        "goes by BILL's clock alone, unless that is more than a day ahead",
    ),
    Assumption(
        "rows_by_same_clock",
        "No row has an `updatedTime` after BILL's `Date`.",
        "nobody says by which clock rows are stamped",
        Confidence.ASSUMED,
        "reads such a row again in every run until its time has come",
    ),
    # Lists
    Assumption(
        "list_envelope",
        "A list is answered with its records in `results`, or in the shape that its reference shows.",
        "reference and Postman collection",
        Confidence.DOCUMENTED,
        "lets the stream fail with one sentence; the bookmark stays",
        Effect.STOPS,
    ),
    Assumption(
        "records_have_ids",
        "Every record of payables and receivables has an `id` that no other record of its list has.",
        "reference",
        Confidence.DOCUMENTED,
        "lets the stream fail with one sentence; the bookmark stays",
        Effect.STOPS,
    ),
    Assumption(
        "max_1",
        "`max=1` brings one record at a time.",
        "reference: `max` is 1 to 100; another reader saw `max=1` work",
        Confidence.OBSERVED,
        "takes the records that come, however many",
    ),
    Assumption(
        "max_100",
        "`max=100` (50 for card transactions) brings as many records, while there are as many.",
        "reference: `max` is 1 to 100; transactions 1 to 50",
        Confidence.DOCUMENTED,
        "follows the cursor; more requests are needed",
    ),
    Assumption(
        "list_end",
        "The last page has no `nextPage`.",
        "recorded answers of another reader",
        Confidence.OBSERVED,
        "takes an empty or null `nextPage` for the end as well",
    ),
    Assumption(
        "cursor_moves_on",
        "`nextPage`, sent as `page` (Spend & Expense: as `nextPage`), leads to rows that were not on the page before.",
        "reference; another reader saw it",
        Confidence.DOCUMENTED,
        "stops where a cursor leads nowhere, instead of reading for ever; the bookmark stays",
        Effect.STOPS,
    ),
    Assumption(
        "cursor_twice",
        "A cursor may be sent again.",
        "nobody says how long a cursor lives",
        Confidence.ASSUMED,
        "begins the list again where BILL refuses a cursor, at most three times in a row",
    ),
    Assumption(
        "cursor_repeats",
        "The same cursor leads to the same rows when it is sent again.",
        "nobody says so",
        Confidence.ASSUMED,
        "would skip a page whose answer was lost on the way, where it follows cursors",
        Effect.LOSES,
    ),
    Assumption(
        "query_beside_cursor",
        "`sort`, `filters` and `max` may be sent beside a cursor.",
        "two readers in production do; nothing official",
        Confidence.THIRD_PARTY,
        "reads by ranges of time, without cursors, where it can; other lists of more than a page fail",
        Effect.STOPS,
    ),
    Assumption(
        "cursor_carries_query",
        "A cursor alone goes on with the `sort` and `filters` that it was made with.",
        "one reader in production relies on it",
        Confidence.THIRD_PARTY,
        "does not rely on it: it sends both with every page",
    ),
    # Filters and sorts
    Assumption(
        "updated_filter",
        '`updatedTime:gte:"..."` is taken by every list that has a bookmark, and no older row comes.',
        "documented for vendors, bills, customers, invoices, bank accounts and card transactions; seen to work for "
        "received payments; for the others another reader relies on it",
        Confidence.THIRD_PARTY,
        "reads the list whole in every run",
    ),
    Assumption(
        "updated_filter_inclusive",
        "`gte` takes the very moment in as well.",
        "BILL's guide to lists names the operator, and does not say so",
        Confidence.ASSUMED,
        "asks from `lookback_seconds` before the bookmark on",
    ),
    Assumption(
        "updated_filter_complete",
        "Every row whose `updatedTime` is later comes.",
        "BILL's guide to lists",
        Confidence.DOCUMENTED,
        "cannot notice; only a whole read brings such rows: set `full_reread_days`",
        Effect.LOSES,
    ),
    Assumption(
        "created_filter",
        '`createdTime:gte:"...",createdTime:lt:"..."` is taken by these lists, and no other row comes.',
        "documented with an example; for payments, credits, classifications and users another reader relies on it",
        Confidence.THIRD_PARTY,
        _WALKS,
    ),
    Assumption(
        "created_filter_inclusive",
        "`gte` takes the very moment in as well.",
        "BILL's guide to lists names the operator, and does not say so",
        Confidence.ASSUMED,
        "lets ranges overlap by a second",
    ),
    Assumption(
        "created_filter_complete",
        "Every row whose `createdTime` lies between the two comes.",
        "BILL's guide to lists",
        Confidence.DOCUMENTED,
        "cannot notice: the ranges that a list is read by would lack rows",
        Effect.LOSES,
    ),
    Assumption(
        "times_need_quotes",
        "A time in a filter without quotes is refused.",
        "BILL's examples quote times; on Spend & Expense another reader saw it refused",
        Confidence.ASSUMED,
        "always sends quotes",
    ),
    Assumption(
        "id_in",
        '`id:in:"...,..."` brings exactly these vendors, bills, customers or invoices.',
        "BILL's table of filterable fields",
        Confidence.DOCUMENTED,
        "warns, and leaves what changed records name as it was until it changes itself: set `full_reread_days`",
        Effect.LOSES,
    ),
    Assumption(
        "sort_created",
        "`sort=createdTime:asc` or `:desc` is taken, and kept within a page.",
        "BILL's table of sortable fields",
        Confidence.DOCUMENTED,
        _WALKS,
    ),
    Assumption(
        "sort_over_pages",
        "The order goes on from one page to the next.",
        "nobody says so",
        Confidence.ASSUMED,
        _WALKS,
    ),
    Assumption(
        "untimed_at_one_end",
        "Rows without a `createdTime` come first in ascending order, or in descending order.",
        "nobody says where they come",
        Confidence.ASSUMED,
        "cannot notice such rows in a list of more than a page",
        Effect.LOSES,
    ),
    # Rows
    Assumption(
        "archived_listed",
        "Archived rows are listed where nothing is asked about them.",
        "another reader saw it for bank accounts, and clients that want live rows filter",
        Confidence.OBSERVED,
        "would not hear of a row that is archived, nor of those that were",
        Effect.LOSES,
    ),
    Assumption(
        "times_present",
        "Every row of a list with a bookmark has a `createdTime` and an `updatedTime` that can be read.",
        "reference",
        Confidence.DOCUMENTED,
        f"{_WALKS}; the bookmark stays while an `updatedTime` is missing",
    ),
    Assumption(
        "time_spelling",
        "These times have milliseconds and the offset `+00:00`.",
        "changelog of BILL; recorded answers of another reader",
        Confidence.OBSERVED,
        "reads any ISO 8601 spelling, and writes this one",
    ),
    Assumption(
        "known_fields",
        "Records have no other fields, and no other types, than the schemas say.",
        "BILL's published examples",
        Confidence.DOCUMENTED,
        "keeps the values in `_unknown_fields`, and names the fields in a warning",
    ),
    Assumption(
        "payment_moves_bill",
        "A payment moves the `updatedTime` of the bills that it pays.",
        "nobody says so",
        Confidence.ASSUMED,
        "reads what changed payments, credits and bills name again in the same run",
    ),
    # Spend & Expense
    Assumption(
        "spend_uuids",
        "Every record of Spend & Expense has a `uuid` that no other record of its list has.",
        "changelog of 2025-07-09; transaction reporting",
        Confidence.DOCUMENTED,
        "lets the stream fail with one sentence",
        Effect.STOPS,
    ),
    Assumption(
        "spend_order",
        "Card transactions come in the order of `sort=occurredTime:asc`.",
        "reference of the transactions",
        Confidence.DOCUMENTED,
        "reads a list of more than a page twice; the bookmark stays unless both readings agree",
    ),
    Assumption(
        "retired_filter",
        "`retired:eq:true` and `retired:eq:false` are taken, and no other row comes.",
        "reference; another reader saw it for budgets",
        Confidence.OBSERVED,
        "reads the list once, without the filter",
    ),
    Assumption(
        "retired_complete",
        "The two together bring every row of the list.",
        "another reader saw an unfiltered list that lacked rows, which these two had",
        Confidence.ASSUMED,
        "asks for nothing else, so it would lack the rest",
        Effect.LOSES,
    ),
    # Errors
    Assumption(
        "bad_max",
        "A `max` that is too large is answered with HTTP 400.",
        "other readers saw it",
        Confidence.OBSERVED,
        "never sends one",
    ),
    Assumption(
        "error_array",
        "An error is answered with an array of objects that have a `message`.",
        "common API error codes",
        Confidence.DOCUMENTED,
        "reads single objects, OAuth's errors and bodies that are not JSON as well",
    ),
)
"""Every assumption, in the order of the report."""

BY_NAME: t.Final = {assumption.name: assumption for assumption in ASSUMPTIONS}
