"""`python -m bill_emulator`: serve the invented company until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from bill_emulator.arguments import port, seconds
from bill_emulator.company.company import ORGANIZATION_ID, Company
from bill_emulator.company.settings import ROLE_TYPES
from bill_emulator.company.spread import PILES, SPREADS
from bill_emulator.protocol.faults import KINDS, Faults
from bill_emulator.protocol.paging import QUIRKS, STYLES
from bill_emulator.protocol.server import Emulator
from bill_emulator.protocol.sign_in import Credentials
from bill_emulator.protocol.spend import QUIRKS as SPEND_QUIRKS
from bill_emulator.resources import RESOURCES
from bill_emulator.switches import BREAK, add_switches, broken_path, count, many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"bill_emulator: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m bill_emulator",
        description="A stand-in BILL v3 server with an invented company. Prints one line when it is ready.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=port, default=8787, help="port to listen on; 0 picks a free one")
    parser.add_argument("--cursor", choices=tuple(STYLES), default="offset", help="what a page cursor stands for")
    parser.add_argument("--role", choices=ROLE_TYPES, default="ADMINISTRATOR", help="role of the signed-in user")
    many(parser, "--forbid", "forbid", RESOURCES, "answer 403 for this resource (may be repeated)", metavar="RESOURCE")
    parser.add_argument(
        "--refuse-assumed", action="store_true", help="400 for filters and sorts that are not official or observed"
    )
    many(parser, "--quirk", "quirks", QUIRKS, _described("misbehave on purpose (undocumented)", QUIRKS))
    _add_company(parser.add_argument_group("the company, and who may sign in"))
    _add_traffic(parser.add_argument_group("time and traffic"))
    _add_limits(parser.add_argument_group("sessions and hourly limits"))
    spend = parser.add_argument_group("Spend & Expense")
    spend.add_argument("--spend-token", default=Credentials.spend_api_token, metavar="TOKEN", help="the apiToken")
    count(spend, "--spend-limit", 60, "requests per token and minute; 0: any number")
    text = _described("misbehave on purpose (undocumented)", SPEND_QUIRKS)
    many(spend, "--spend-quirk", "spend_quirks", SPEND_QUIRKS, text)
    add_switches(parser)
    _add_faults(parser.add_argument_group("faults (BILL documents none of them, but for its error bodies)"))
    return parser


def _described(what: str, names: Mapping[str, str]) -> str:
    return f"{what}: " + "; ".join(f"{name}: {text}" for name, text in names.items())


def _add_company(group: argparse._ArgumentGroup) -> None:
    known = Credentials()
    count(group, "--seed", 7, "which company to invent")
    count(group, "--bills", 250, "how many bills it has; other rows scale along")
    created = group.add_mutually_exclusive_group()
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
    group.add_argument(
        "--irregularities", action="store_true", help="plant what an auditor looks for, and what only looks like it"
    )
    group.add_argument("--username", default=known.username, help="user, or name of a sync token")
    group.add_argument("--password", default=known.password, help="password, or value of a sync token")
    group.add_argument("--dev-key", default=known.dev_key, help="developer key")
    group.add_argument("--client-id", default=known.client_id, help="OAuth client id of the first organization's app")
    group.add_argument("--client-secret", default=known.client_secret, help="OAuth client secret")
    group.add_argument("--organization-id", default=ORGANIZATION_ID, help="20 characters, beginning 008")
    count(group, "--organizations", 1, "how many organizations there are")


def _add_traffic(group: argparse._ArgumentGroup) -> None:
    count(group, "--latency", 0.0, "let every answer take so long", seconds)
    count(group, "--limit", 3, "requests at once; 0: any number")
    count(group, "--limit-status", 429, "HTTP status of one request too many")
    text = "edit rows of the list after every N list answers, and add one every other time; 0: never"
    count(group, "--edit-every", 0, text)
    count(group, "--edit-rows", 3, "rows to edit each time")
    text = "delete rows of the list for good after every N list answers; 0: never (what a reader sees: undocumented)"
    count(group, "--delete-every", 0, text)
    count(group, "--delete-rows", 1, "rows to delete each time")
    group.add_argument(
        "--moves-related",
        action="store_true",
        help="work in the books (see /control) moves updatedTime of the bills, invoices, vendors and customers that a "
        "payment, credit or approval changes; without: only of the record that was worked on (both are assumed)",
    )
    count(group, "--clock-skew", 0.0, "how far the clock is ahead of the machine's; negative: behind", seconds)


def _add_limits(group: argparse._ArgumentGroup) -> None:
    count(group, "--session-requests", 0, "end a session after N requests; 0: never")
    count(group, "--session-seconds", 0.0, "end a session after so long; 0: never", seconds)
    count(group, "--hourly-limit", 20_000, "requests per key in a clock hour; 0: all")
    count(group, "--login-limit", 200, "sign-ins per key in a clock hour; 0: all")
    count(group, "--quota-status", 429, "HTTP status of one too many in an hour")


def _add_faults(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fault-rate", type=seconds, default=0.0, metavar="SHARE", help="break this share of all answers, from 0 to 1"
    )
    group.add_argument(
        "--fault",
        action="append",
        choices=tuple(KINDS),
        metavar="KIND",
        help=_described(
            "break them in this way (may be repeated; default: every way that a patient reader survives)",
            {name: kind.text for name, kind in KINDS.items()},
        ),
    )
    group.add_argument(
        "--break",
        dest="broken",
        action="append",
        default=[],
        type=broken_path,
        metavar=BREAK,
        help="break every answer of this path, such as /v3/bills=server_error,status=500, forever or so many times, "
        "after so many that are right (may be repeated; a * in the path stands for anything)",
    )
    count(group, "--fault-seed", 7, "which answers, and how")


def _made(options: dict[str, Any]) -> Emulator:
    """The emulator; what is taken out of the options here is none of its keywords."""
    take = options.pop
    faults = Faults(rate=take("fault_rate"), kinds=take("fault"), seed=take("fault_seed"))
    for path, kind, more in take("broken"):
        faults.plan(kind, path=path, **more)
    companies = _companies(options)
    companies[0].clock.advance(take("clock_skew"))
    credentials = Credentials(
        take("username"),
        take("password"),
        take("dev_key"),
        spend_api_token=take("spend_token"),
        client_id=take("client_id"),
        client_secret=take("client_secret"),
    )
    return Emulator(companies=companies, credentials=credentials, faults=faults, **options)


def _companies(options: dict[str, Any]) -> list[Company]:
    """The first as asked for; each further one with the next seed, and a number at the end of its organization id."""
    first, organizations, seed = (options.pop(name) for name in ("organization_id", "organizations", "seed"))
    more = {name: options.pop(name) for name in ("bills", "created", "irregularities")}
    ids = [first, *(f"{first[:-4]}{number:04}" for number in range(2, organizations + 1))]
    return [Company(seed + place, organization_id=organization, **more) for place, organization in enumerate(ids)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; answers the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="bill_emulator: %(message)s")
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: shells start background jobs deaf to it
        signal.signal(ending, signal.default_int_handler)
    try:
        with _made(dict(vars(options))) as emulator:
            more = f" and {options.organizations - 1} more" if options.organizations > 1 else ""
            print(
                f"BILL emulator ready: {emulator.url} organization {options.organization_id}{more} "
                f"user {options.username}",
                flush=True,
            )
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        problem = f"cannot listen on {options.host}:{options.port}: {error.strerror or error}"
    except OverflowError:
        problem = f"the clock cannot be set so far: {options.clock_skew:g} seconds"
    except ValueError as error:
        problem = str(error)
    print(f"bill_emulator: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
