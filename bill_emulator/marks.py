"""How well it is known that BILL behaves as the emulator does, for programs: the assumptions that a reader lives by.

The table in `bill_emulator` says more about more; here each behaviour has a name, the same one that readers give it.
`switch` is the keyword of `Emulator` that makes it otherwise; where there is none, a layer can.
"""

from __future__ import annotations

from typing import NamedTuple

DOCUMENTED = "documented"
OBSERVED = "observed"
THIRD_PARTY = "third-party"
ASSUMED = "assumed"


class Mark(NamedTuple):
    """From where a behaviour is known, and what makes it otherwise."""

    known_from: str
    switch: str = ""


MARKS: dict[str, Mark] = {
    "sign_in": Mark(DOCUMENTED, "token_place"),
    "token_place": Mark(ASSUMED, "token_place"),
    "token_life": Mark(ASSUMED, "token_expires_in"),
    "trusted_told": Mark(DOCUMENTED),
    "session_told": Mark(DOCUMENTED),
    "date_header": Mark(ASSUMED, "date"),
    "date_is_now": Mark(ASSUMED, "clock"),
    "rows_by_same_clock": Mark(ASSUMED, "odd_times"),
    "list_envelope": Mark(DOCUMENTED),
    "records_have_ids": Mark(DOCUMENTED),
    "max_1": Mark(OBSERVED),
    "max_100": Mark(DOCUMENTED),
    "list_end": Mark(OBSERVED),
    "cursor_moves_on": Mark(DOCUMENTED, "spend_quirks"),
    "cursor_twice": Mark(ASSUMED, "cursor_life"),
    "cursor_repeats": Mark(ASSUMED),
    "query_beside_cursor": Mark(THIRD_PARTY),
    "cursor_carries_query": Mark(THIRD_PARTY),
    "updated_filter": Mark(THIRD_PARTY, "ignore_filters"),
    "updated_filter_inclusive": Mark(ASSUMED),
    "updated_filter_complete": Mark(DOCUMENTED),
    "created_filter": Mark(THIRD_PARTY, "ignore_filters"),
    "created_filter_inclusive": Mark(ASSUMED),
    "created_filter_complete": Mark(DOCUMENTED),
    "times_need_quotes": Mark(ASSUMED),
    "id_in": Mark(DOCUMENTED, "refuse_filters"),
    "sort_created": Mark(DOCUMENTED, "ignore_sort"),
    "sort_over_pages": Mark(ASSUMED, "ignore_sort"),
    "untimed_at_one_end": Mark(ASSUMED),
    "archived_listed": Mark(OBSERVED),
    "times_present": Mark(DOCUMENTED, "odd_times"),
    "time_spelling": Mark(OBSERVED),
    "known_fields": Mark(DOCUMENTED),
    "payment_moves_bill": Mark(ASSUMED, "moves_related"),
    "spend_uuids": Mark(DOCUMENTED),
    "spend_order": Mark(DOCUMENTED, "spend_quirks"),
    "retired_filter": Mark(OBSERVED, "spend_quirks"),
    "retired_complete": Mark(ASSUMED),
    "bad_max": Mark(OBSERVED),
    "error_array": Mark(DOCUMENTED),
}
"""By name. Of a payment and the bill that it pays, the emulator does either: `moves_related` says which."""
