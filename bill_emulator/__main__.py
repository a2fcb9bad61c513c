"""`python -m bill_emulator`: serve the invented company until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING

from bill_emulator.arguments import port, seconds, whole
from bill_emulator.company.company import ORGANIZATION_ID, Company
from bill_emulator.company.settings import ROLE_TYPES
from bill_emulator.company.spread import PILES, SPREADS
from bill_emulator.protocol.faults import KINDS, Faults
from bill_emulator.protocol.paging import QUIRKS, STYLES
from bill_emulator.protocol.server import Emulator
from bill_emulator.protocol.sign_in import Credentials
from bill_emulator.protocol.spend import QUIRKS as SPEND_QUIRKS
from bill_emulator.resources import RESOURCES
from bill_emulator.switches import BREAK, add_switches, broken_path, settings

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"bill_emulator: {message}\n")


def _parser() -> argparse.ArgumentParser:
    known = Credentials()
    parser = _Parser(
        prog="python -m bill_emulator",
        description="A stand-in BILL v3 server with an invented company. Prints one line when it is ready.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=port, default=8787, help="port to listen on; 0 picks a free one")
    parser.add_argument("--seed", type=whole, default=7, help="which company to invent")
    parser.add_argument("--bills", type=whole, default=250, help="how many bills it has; other rows scale along")
    created = parser.add_mutually_exclusive_group()
    created.add_argument("--created", choices=tuple(SPREADS), default="even", help="how createdTime is spread")
    created.add_argument(
        "--bulk-import",
        dest="created",
        action="store_const",
        const="bulk",
        default=argparse.SUPPRESS,
        help="--created bulk: half of the rows in one moment, as after an import",
    )
    created.add_argument(
        "--pile",
        dest="created",
        choices=PILES,
        default=argparse.SUPPRESS,
        help="--created start or end: nearly all rows within 1 %% of the time line",
    )
    parser.add_argument("--cursor", choices=tuple(STYLES), default="offset", help="what a page cursor stands for")
    parser.add_argument("--username", default=known.username, help="user, or name of a sync token")
    parser.add_argument("--password", default=known.password, help="password, or value of a sync token")
    parser.add_argument("--dev-key", default=known.dev_key, help="developer key")
    parser.add_argument("--organization-id", default=ORGANIZATION_ID, help="20 characters, beginning 008")
    parser.add_argument("--organizations", type=whole, default=1, metavar="N", help="how many organizations there are")
    parser.add_argument("--role", choices=ROLE_TYPES, default="ADMINISTRATOR", help="role of the signed-in user")
    parser.add_argument(
        "--forbid",
        action="append",
        default=[],
        choices=tuple(RESOURCES),
        metavar="RESOURCE",
        help="answer 403 for this resource (may be repeated)",
    )
    parser.add_argument(
        "--refuse-assumed", action="store_true", help="400 for filters and sorts that are not official or observed"
    )
    parser.add_argument(
        "--quirk",
        action="append",
        default=[],
        choices=tuple(QUIRKS),
        help="misbehave on purpose (undocumented): " + "; ".join(f"{name}: {text}" for name, text in QUIRKS.items()),
    )
    parser.add_argument("--latency", type=seconds, default=0.0, metavar="SECONDS", help="let every answer take so long")
    parser.add_argument("--limit", type=whole, default=3, metavar="N", help="requests at once; 0: any number")
    parser.add_argument(
        "--limit-status", type=whole, default=429, metavar="STATUS", help="HTTP status of one request too many"
    )
    parser.add_argument(
        "--edit-every",
        type=whole,
        default=0,
        metavar="N",
        help="edit rows of the list after every N list answers, and add one every other time; 0: never",
    )
    parser.add_argument("--edit-rows", type=whole, default=3, metavar="N", help="rows to edit each time")
    parser.add_argument(
        "--delete-every",
        type=whole,
        default=0,
        metavar="N",
        help="delete rows of the list for good after every N list answers; 0: never (what a reader sees: undocumented)",
    )
    parser.add_argument("--delete-rows", type=whole, default=1, metavar="N", help="rows to delete each time")
    parser.add_argument(
        "--clock-skew",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="how far the clock is ahead of the machine's; negative: behind",
    )
    sessions = parser.add_argument_group("sessions and hourly limits")
    sessions.add_argument(
        "--session-requests", type=whole, default=0, metavar="N", help="end a session after N requests; 0: never"
    )
    sessions.add_argument(
        "--session-seconds", type=seconds, default=0.0, metavar="SECONDS", help="end a session after so long; 0: never"
    )
    sessions.add_argument(
        "--hourly-limit",
        type=whole,
        default=20_000,
        metavar="N",
        help="requests per key in a clock hour; 0: all",
    )
    sessions.add_argument(
        "--login-limit", type=whole, default=200, metavar="N", help="sign-ins per key in a clock hour; 0: all"
    )
    sessions.add_argument(
        "--quota-status", type=whole, default=429, metavar="STATUS", help="HTTP status of one too many in an hour"
    )
    spend = parser.add_argument_group("Spend & Expense")
    spend.add_argument("--spend-token", default=Credentials.spend_api_token, metavar="TOKEN", help="the apiToken")
    spend.add_argument(
        "--spend-limit", type=whole, default=60, metavar="N", help="requests per token and minute; 0: any number"
    )
    spend.add_argument(
        "--spend-quirk",
        action="append",
        default=[],
        choices=tuple(SPEND_QUIRKS),
        help="misbehave on purpose (undocumented): "
        + "; ".join(f"{name}: {text}" for name, text in SPEND_QUIRKS.items()),
    )
    add_switches(parser)
    faults = parser.add_argument_group("faults (BILL documents none of them, but for its error bodies)")
    faults.add_argument(
        "--fault-rate", type=seconds, default=0.0, metavar="SHARE", help="break this share of all answers, from 0 to 1"
    )
    faults.add_argument(
        "--fault",
        action="append",
        choices=tuple(KINDS),
        metavar="KIND",
        help="break them in this way (may be repeated; default: every way that a patient reader survives): "
        + "; ".join(f"{name}: {kind.text}" for name, kind in KINDS.items()),
    )
    faults.add_argument(
        "--break",
        dest="broken",
        action="append",
        default=[],
        type=broken_path,
        metavar=BREAK,
        help="break every answer of this path, such as /v3/bills=server_error,status=500, for ever or so many times, "
        "after so many that are right (may be repeated; a * in the path stands for anything)",
    )
    faults.add_argument("--fault-seed", type=whole, default=7, metavar="SEED", help="which answers, and how")
    return parser


def _companies(options: argparse.Namespace) -> list[Company]:
    """The first as asked for; each further one with the next seed, and a number at the end of its organization id."""
    first: str = options.organization_id
    ids = [first, *(f"{first[:-4]}{number:04}" for number in range(2, options.organizations + 1))]
    return [
        Company(options.seed + place, options.bills, organization_id=organization, created=options.created)
        for place, organization in enumerate(ids)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; answers the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="bill_emulator: %(message)s")
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: shells start background jobs deaf to it
        signal.signal(ending, signal.default_int_handler)
    try:
        faults = Faults(rate=options.fault_rate, kinds=options.fault, seed=options.fault_seed)
        for path, kind, more in options.broken:
            faults.plan(kind, path=path, **more)
        companies = _companies(options)
        company = companies[0]
        company.clock.advance(options.clock_skew)
        emulator = Emulator(
            companies=companies,
            host=options.host,
            port=options.port,
            credentials=Credentials(
                options.username, options.password, options.dev_key, spend_api_token=options.spend_token
            ),
            spend_limit=options.spend_limit,
            spend_quirks=options.spend_quirk,
            cursor=options.cursor,
            refuse_assumed=options.refuse_assumed,
            quirks=options.quirk,
            role=options.role,
            forbid=options.forbid,
            latency=options.latency,
            limit=options.limit,
            limit_status=options.limit_status,
            edit_every=options.edit_every,
            edit_rows=options.edit_rows,
            delete_every=options.delete_every,
            delete_rows=options.delete_rows,
            session_requests=options.session_requests,
            session_seconds=options.session_seconds,
            hourly_limit=options.hourly_limit,
            login_limit=options.login_limit,
            quota_status=options.quota_status,
            faults=faults,
            **settings(options),
        )
        with emulator:
            more = f" and {len(companies) - 1} more" if len(companies) > 1 else ""
            print(
                f"BILL emulator ready: {emulator.url} organization {company.organization_id}{more} "
                f"user {options.username}",
                flush=True,
            )
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        reason = error.strerror or error
        print(f"bill_emulator: cannot listen on {options.host}:{options.port}: {reason}", file=sys.stderr)
        return 1
    except OverflowError:
        print(f"bill_emulator: the clock cannot be set so far: {options.clock_skew:g} seconds", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"bill_emulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
