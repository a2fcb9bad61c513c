"""`tap-bill --test`: sign in, read one record of every selected stream, and say what to mend."""

from __future__ import annotations

import typing as t

from tap_bill.errors import Reaction, RefusedError
from tap_bill.fetcher import records_of
from tap_bill.resources import Envelope
from tap_bill.settings import environment

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_bill.client import BillClient
    from tap_bill.resources import Resource


def examine(client: BillClient, api_url: str, resources: Sequence[Resource], tell: Callable[[str], None]) -> int:
    """Tell of each resource whether these credentials may read it.

    Args:
        client: reads the organization.
        api_url: where, for the report.
        resources: what is to be read.
        tell: takes the lines of the report.

    Returns:
        How many of them can be read.

    Raises:
        BillError: if BILL refuses the credentials, or a resource for another reason than permission.
    """
    client.sign_in()
    tell(f"Signed in to BILL {environment(api_url)}, organization {client.organization_id}.")
    readable = 0
    width = max(len(resource.name) for resource in resources)
    for resource in resources:
        path = resource.path.format(organization_id=client.organization_id)
        params = {"max": "1"} if resource.envelope is Envelope.PAGED else {}
        try:
            records, _ = records_of(resource.name, path, resource.envelope, client.get(resource.name, path, params))
        except RefusedError as error:
            if error.refusal.reaction is not Reaction.SKIP_STREAM:
                raise
            tell(f"  {resource.name:{width}}  may not be read ({error.refusal}): it needs {resource.needs}")
        else:
            readable += 1
            tell(f"  {resource.name:{width}}  can be read{'' if records else ', has no rows'}")
    tell(f"{readable} of {len(resources)} streams can be read.")
    if readable < len(resources):
        tell("Give the user a role with these permissions in BILL, or deselect the streams.")
    return readable
