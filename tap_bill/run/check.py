"""`tap-bill --test`: sign in, read one record of every selected stream, and say what to mend."""

from __future__ import annotations

import logging
import typing as t

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import BillError, ErrorAction, Scope
from tap_bill.api.pagination import Endpoint
from tap_bill.resources import RESOURCES
from tap_bill.settings import Way, environment, way_into

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_bill.resources import Resource
    from tap_bill.run.organization import OrganizationRun
    from tap_bill.sync.context import RunContext

LOGGER = logging.getLogger("tap-bill")

NAMED: t.Final = {Way.OAUTH: " with OAuth", Way.CONSOLE: " with a Console API token"}
"""Ways to sign in that the report names; the log names the others too."""

MEND: t.Final = {
    Way.OAUTH: (
        "Give the user who made the developer app a role with these permissions in BILL, or deselect the streams. If "
        "the role has them, the app's scope lacks them: make another app, because BILL does not let a scope be changed."
    )
}
GIVE_A_ROLE: t.Final = "Give the user a role with these permissions in BILL, or deselect the streams."
"""What to do about streams that may not be read."""

READABLE: t.Final = "can be read"
REFUSED: t.Final = "may not be read"
BROKEN: t.Final = "cannot be read: see below"
UNTRIED: t.Final = "cannot be tried"


def examine(run: OrganizationRun, tell: Callable[[str], None]) -> list[BillError]:
    """Tell of each selected resource whether the credentials may read it.

    Args:
        run: of one organization.
        tell: takes the lines of the report.

    Returns:
        What is wrong, other than with permissions.

    Raises:
        BillError: if BILL accepts none of the credentials, or cannot be reached.
    """
    refused = run.sign_in()
    problems = list(refused.values())
    ways = {
        way: None
        for stream in run.needed_streams()
        if run.context.client_of(stream.resource) not in refused
        if (way := way_into(run.context.settings, spend=stream.resource.is_spend))
    }
    by = "".join(NAMED.get(way, "") for way in ways)
    tell(f"Signed in to BILL {environment(run.context.settings['api_url'])}{by}, {run.context.whose}.")
    for way in ways:
        LOGGER.info("Signed in with %s.", way.value)
    needed = {stream.resource.name for stream in run.needed_streams()}
    resources = [resource for resource in RESOURCES if resource.name in needed]  # parents first
    width = max(map(len, needed))
    found: dict[str, str] = {}
    verdicts = []
    for resource in resources:
        client = run.context.client_of(resource)
        try:
            verdicts.append(f"{UNTRIED}: not signed in" if client in refused else _try(run.context, resource, found))
        except BillError as error:
            problems.append(error)
            if error.scope is Scope.RUN:
                return problems
            if error.scope is Scope.SIDE:
                refused[client] = error
            verdicts.append(BROKEN)
        tell(f"  {resource.name:{width}}  {verdicts[-1]}")
    readable = sum(verdict.startswith(READABLE) for verdict in verdicts)
    tell(f"{readable} of {len(resources)} streams can be read.")
    if any(verdict.startswith(REFUSED) for verdict in verdicts):
        tell(next((MEND[way] for way in ways if way in MEND), GIVE_A_ROLE))
    if not readable and not problems:
        problems.append(BillError(f"None of the selected streams of {run.context.whose} can be read."))
    return problems


def _try(context: RunContext, resource: Resource, found: dict[str, str]) -> str:
    """Ask for one record; `found` keeps an id of each resource for those that are asked for by one."""
    parent = resource.parent
    if parent and parent.stream not in found:
        return f"{UNTRIED}: {parent.stream} has no rows"
    endpoint = Endpoint.of(
        resource,
        organization_id=context.organization_id,
        page_size=1,
        parent_id=found[parent.stream] if parent else "",
    )
    try:
        body = context.client_of(resource).get(resource.name, endpoint.path, endpoint.params(resource.queries[0], ""))
        records, _ = endpoint.open(body, "")
    except ApiError as error:
        if parent and error.response.means_missing:
            records = []
        elif error.response.action is ErrorAction.SKIP_STREAM:
            return f"{REFUSED} ({error.response}): it needs {resource.needs}"
        else:
            raise
    if records and resource.identifier in records[0]:
        found[resource.name] = str(records[0][resource.identifier])
    return f"{READABLE}{'' if records else ', has no rows'}"
