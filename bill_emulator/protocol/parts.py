"""`company.parts` over HTTP."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bill_emulator.company.extras import EXTRAS
from bill_emulator.company.parts import PARTS
from bill_emulator.protocol import errors
from bill_emulator.protocol.errors import CodedError, ValidationError
from bill_emulator.protocol.mid_list import Mark
from bill_emulator.protocol.paging import DEFAULT_MAX, Place, read_max, read_place, shown_place
from bill_emulator.protocol.responses import json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.responses import Response

    from bill_emulator.company.company import Company
    from bill_emulator.protocol.mid_list import Watch

_WINDOW = ("invoiceDateFrom", "invoiceDateTo")


def part_answer(company: Company, name: str, parent_id: str, parameters: Mapping[str, str], watch: Watch) -> Response:
    """What belongs to one parent; 404 where there is no such parent."""
    part = PARTS[name]
    if company.stored(part.parent, parent_id) is None:
        raise CodedError(errors.NO_RECORD)
    rows = company.parts(name, parent_id)
    if part.shape == "single":
        if not rows:
            raise CodedError(errors.NO_RECORD)
        return json_answer(rows[0])
    if part.shape == "array":
        start, size = int(parameters.get("start", "0")), read_max(parameters.get("max")) or DEFAULT_MAX
        watch.admit(name, Mark(-(-start // size)), in_mid_list=start > 0)
        return json_answer(rows[start : start + size])
    return _page(rows, "results", parameters, partial(watch.admit, name))


def extra_answer(company: Company, name: str, parameters: Mapping[str, str], watch: Watch) -> Response:
    """One of the lists that few programs need."""
    extra = EXTRAS[name]
    status = parameters.get(extra.needed, "") if extra.needed else ""
    if extra.needed and status not in ("VERIFIED", "NOMINATED"):
        raise ValidationError(f"{extra.needed}: must be VERIFIED or NOMINATED")
    rows = extra.rows(company, status)
    if extra.records is None:
        return json_answer(rows[0])
    if extra.records == "":
        return json_answer(rows)
    if not extra.sized:
        return json_answer({extra.records: rows, **({"rates": {"fee": "2.9"}} if extra.needed else {})})
    window = {name: parameters[name] for name in _WINDOW if name in parameters}
    if window and ("max" in parameters or "page" in parameters):
        raise ValidationError("max and page: not allowed with dates")
    if window:
        low, high = (window.get(name, default) for name, default in zip(_WINDOW, ("0", "9"), strict=True))
        return json_answer({extra.records: [row for row in rows if low <= row["invoiceDate"] <= high]})
    return _page(rows, extra.records, parameters, partial(watch.admit, name))


def _page(
    rows: list[dict[str, Any]], records: str, parameters: Mapping[str, str], admit: Callable[..., Mark]
) -> Response:
    size = read_max(parameters.get("max")) or DEFAULT_MAX
    place = read_place(parameters, "page")
    mark = admit(Mark(place.number, place.made), in_mid_list=bool(parameters.get("page")))
    end = place.offset + size
    cursor = {"nextPage": shown_place(Place(end, 0, *mark))} if end < len(rows) else {}
    return json_answer({records: rows[place.offset : end], **cursor})
