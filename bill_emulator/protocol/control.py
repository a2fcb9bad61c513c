"""The emulator's own route, `/control`: look at the company and change it from outside, for demos.

`GET /control` (or `/control/state`) answers the clock, row counts, the number of open sessions, and the counters of
`protocol.limits`. `GET /control/truth/bills` answers every row of a resource as it would be sent now, digit for
digit, in id order.
`POST /control` takes one JSON object:

* `{"do": "edit", "resource": "bills", "id": "...", "changes": {...}, "remove": [...]}`
* `{"do": "add", "resource": "bills"}`, optionally with `"row": {...}`
* `{"do": "advance", "seconds": 2400}`
* `{"do": "expire_sessions"}`
* `{"do": "reset_counters"}`
* `{"do": "fault", "kind": "reset", "path": "/v3/bills", "times": 2, "after": 3}`; see `protocol.faults`
* `{"do": "clear_faults"}`

Of several organizations it is about the first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from bill_emulator.protocol.responses import json_answer
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bill_emulator.protocol.api import Api
    from bill_emulator.protocol.faults import Faults

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


CONTROL = "/control"


def is_control(path: str) -> bool:
    """Whether a path is the emulator's own, so that BILL has nothing to do with it."""
    return path == CONTROL or path.startswith(CONTROL + "/")


def control_routes(api: Api, faults: Faults) -> list[Route]:  # noqa: C901 -- one small function per order
    """The routes to add to the application."""
    company, counters = api.company, api.counters

    def edit(order: dict[str, Any]) -> Any:
        return company.edit(order["resource"], order["id"], order.get("changes", {}), order.get("remove", ()))

    def add(order: dict[str, Any]) -> Any:
        return company.add(order["resource"], order.get("row"))

    def advance(order: dict[str, Any]) -> Any:
        company.clock.advance(float(order["seconds"]))
        return state()

    def expire_sessions(_order: dict[str, Any]) -> Any:
        api.sessions.close_all()
        return state()

    def state() -> Any:
        now = shown(microseconds(company.clock.now()))
        broken = {"faults": dict(faults.counts)}
        return {"now": now, "rows": company.totals(), "sessions": api.sessions.count(), **counters.as_dict(), **broken}

    def reset_counters(_order: dict[str, Any]) -> Any:
        counters.reset()
        return state()

    def fault(order: dict[str, Any]) -> Any:
        faults.plan(**{name: value for name, value in order.items() if name != "do"})
        return state()

    def clear_faults(_order: dict[str, Any]) -> Any:
        faults.clear()
        return state()

    orders: dict[str, Callable[[dict[str, Any]], Any]] = {
        "edit": edit,
        "add": add,
        "advance": advance,
        "expire_sessions": expire_sessions,
        "reset_counters": reset_counters,
        "fault": fault,
        "clear_faults": clear_faults,
    }

    async def control(request: Request) -> Response:
        if request.method != "POST":
            return _answer(state())
        try:
            order = _DECODER.decode(await request.body())
            return _answer(orders[order["do"]](order))
        except KeyError as error:
            return _answer({"message": f"missing or unknown: {error.args[0]}"}, 400)
        except (TypeError, ValueError) as error:
            return _answer({"message": str(error)}, 400)

    async def truth(request: Request) -> Response:
        resource = request.path_params["resource"]
        if resource not in company.totals():
            return _answer({"message": f"missing or unknown: {resource}"}, 404)
        with company.lock:
            rows = sorted(company.all_stored(resource), key=lambda stored: stored.id)
            return json_answer(b"[%b]" % b",".join(stored.json() for stored in rows))

    return [
        Route(CONTROL, control, methods=["GET", "POST"]),
        Route(CONTROL + "/state", control, methods=["GET"]),
        Route(CONTROL + "/truth/{resource}", truth, methods=["GET"]),
    ]


def _answer(data: Any, status: int = 200) -> Response:
    return json_answer(data, status)
