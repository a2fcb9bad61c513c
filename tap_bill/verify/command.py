"""`tap-bill --verify-api`: sign in, make the trials, report."""

from __future__ import annotations

import typing as t

from tap_bill.api.errors import BillError
from tap_bill.resources import RESOURCES
from tap_bill.settings import Way, environment, way_into
from tap_bill.verify.asking import Budget, Listing, Watch
from tap_bill.verify.findings import Finding, Note, fails
from tap_bill.verify.report import Report, results
from tap_bill.verify.trials import Trials

if t.TYPE_CHECKING:
    from tap_bill.run.organization import OrganizationRun


FEW_RETRIES: t.Final = 1
"""How often a request is repeated, at most: a refusal may look like trouble, and repeated requests count as well."""


def verify(run: OrganizationRun, most: int) -> tuple[Report, list[BillError]]:
    """Try every assumption at one organization, with few requests.

    Args:
        run: of the organization.
        most: requests that may be sent.

    Returns:
        What was found, and what kept the trials from being made.
    """
    context = run.context
    retries = min(FEW_RETRIES, context.settings["max_retries"])
    context.settings = {**context.settings, "max_retries": retries}
    order = [resource.name for resource in RESOURCES]
    streams = sorted(run.read_streams(), key=lambda stream: order.index(stream.name))
    watch, budget, shown = Watch(), Budget(context.stats, most), set[str]()
    for client in dict.fromkeys(context.client_of(stream.resource) for stream in streams):
        client.watch(watch, budget)
    findings: list[Finding] = []
    problems: list[BillError] = []
    otherwise = Note.NOT_SELECTED
    try:
        refused = run.sign_in()
    except BillError as error:
        findings.append(fails("sign_in"))
        problems.append(error)
        otherwise = Note.NOT_SIGNED_IN
    else:
        problems += refused.values()
        listings = [Listing(stream, context, watch, shown) for stream in streams]
        trials = Trials(context, watch, [each for each in listings if each.client not in refused], shown)
        findings += trials.all()
        if trials.ended:
            problems.append(trials.ended)
    ways = {way: None for stream in streams if (way := way_into(context.settings, spend=stream.resource.is_spend))}
    signs_out = bool(ways.keys() & {Way.SESSION, Way.CONSOLE}) and not problems
    report = Report(
        environment(context.settings["api_url"]),
        tuple(way.name.lower() for way in ways),
        len(streams),
        budget.used + signs_out,
        most,
        results(findings, otherwise),
    )
    return report, problems
