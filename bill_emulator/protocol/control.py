"""The emulator's own route, `/control`: look at the company and change it from outside, for demos.

`GET /control` (or `/control/state`) answers the clock, row counts, the number of open sessions and of access tokens
issued so far, and the counters of `protocol.limits`. `GET /control/truth/bills` answers every row of a resource as it
would be sent now, digit for digit, in id order.
`POST /control` takes one JSON object:

* `{"do": "edit", "resource": "bills", "id": "...", "changes": {...}, "remove": [...]}`
* `{"do": "add", "resource": "bills"}`, optionally with `"row": {...}`
* `{"do": "work", "seed": 1, "how_many": 5}`: random work in the books, see `company.bookkeeping`
* `{"do": "advance", "seconds": 2400}`
* `{"do": "expire_sessions"}`, `{"do": "revoke_tokens"}`
* `{"do": "reset_counters"}`
* `{"do": "fault", "kind": "reset", "path": "/v3/bills", "times": 2, "after": 3}`; see `protocol.faults`
* `{"do": "clear_faults"}`

Of several organizations it is about the first.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from bill_emulator.protocol.responses import json_answer
from bill_emulator.protocol.scope import CONTROL
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bill_emulator.company.company import Company
    from bill_emulator.protocol.faults import Faults
    from bill_emulator.protocol.limits import Counters
    from bill_emulator.protocol.sessions import SessionBook
    from bill_emulator.protocol.tokens import TokenBook

Order = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def control_routes(
    company: Company, sessions: SessionBook, tokens: TokenBook, counters: Counters, faults: Faults
) -> list[Route]:
    """The routes to add to the application."""

    def state() -> dict[str, Any]:
        now = shown(microseconds(company.clock.now()))
        signed_in = {"sessions": sessions.count(), "tokens": tokens.issued}
        broken = {"faults": dict(faults.counts)}
        return {"now": now, "rows": company.totals(), **signed_in, **counters.as_dict(), **broken}

    answered: dict[str, Callable[[Order], Any]] = {
        "edit": lambda order: company.edit(
            order["resource"], order["id"], order.get("changes", {}), order.get("remove", ())
        ),
        "work": lambda order: company.work(Random(order["seed"]), order.get("how_many", 1)),
        "add": lambda order: company.add(order["resource"], order.get("row")),
    }
    done: dict[str, Callable[[Order], object]] = {
        "advance": lambda order: company.clock.advance(float(order["seconds"])),
        "expire_sessions": lambda _: sessions.close_all(),
        "revoke_tokens": lambda _: tokens.revoke_all(),
        "reset_counters": lambda _: counters.reset(),
        "fault": lambda order: faults.plan(**{name: value for name, value in order.items() if name != "do"}),
        "clear_faults": lambda _: faults.clear(),
    }

    def obey(order: Order) -> Any:
        if order["do"] in answered:
            return answered[order["do"]](order)
        done[order["do"]](order)
        return state()

    async def control(request: Request) -> Response:
        if request.method != "POST":
            return json_answer(state())
        try:
            return json_answer(obey(_DECODER.decode(await request.body())))
        except KeyError as error:
            return json_answer({"message": f"missing or unknown: {error.args[0]}"}, 400)
        except (TypeError, ValueError) as error:
            return json_answer({"message": str(error)}, 400)

    async def truth(request: Request) -> Response:
        resource = request.path_params["resource"]
        if resource not in company.totals():
            return json_answer({"message": f"missing or unknown: {resource}"}, 404)
        with company.lock:
            rows = sorted(company.all_stored(resource), key=lambda stored: stored.id)
            return json_answer(b"[%b]" % b",".join(stored.json() for stored in rows))

    return [
        Route(CONTROL, control, methods=["GET", "POST"]),
        Route(CONTROL + "/state", control, methods=["GET"]),
        Route(CONTROL + "/truth/{resource}", truth, methods=["GET"]),
    ]
