"""Where a list is read, page by page: what to send for the next page, and what an answer holds."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from tap_bill.api.errors import PagingError
from tap_bill.resources import Envelope, Paging, Resource

if t.TYPE_CHECKING:
    from collections.abc import Mapping

Record = dict[str, t.Any]
"""A row as BILL sent it."""

SMALLEST_PAGE: t.Final = 20
"""Rows that BILL puts on a page unless it is asked for more: a shorter page is the last one even where BILL should
serve fewer rows than it is asked for."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A list of BILL.

    Args:
        stream: name, for messages.
        path: begins with `/v3/`.
        envelope: shape of the answers.
        records: the list in an `Envelope.LIST`.
        paging: how the next page is asked for; None where everything comes at once.
        page_size: rows per page.
    """

    stream: str
    path: str
    envelope: Envelope
    records: str
    paging: Paging | None
    page_size: int

    @classmethod
    def of(cls, resource: Resource, *, organization_id: str, page_size: int, parent_id: str = "") -> Endpoint:
        """Return where a resource is read, with pages as large as its list allows."""
        path = resource.path.format(organization_id=organization_id, parent_id=quote(parent_id, safe=""))
        most = resource.paging.most if resource.paging else 0
        return cls(resource.name, path, resource.envelope, resource.records, resource.paging, min(page_size, most))

    @property
    def may_be_left_out(self) -> bool:
        """Whether an empty object may mean an empty list: BILL leaves out fields without a value."""
        return self.envelope is Envelope.LIST

    def params(self, query: Mapping[str, str], cursor: str) -> dict[str, str]:
        """Return the parameters of a request.

        Args:
            query: sort, filters and the like; they stay the same from page to page.
            cursor: from the last answer; empty for the first page.
        """
        size = {"max": str(self.page_size)} if self.page_size else {}
        return {**size, **query, **({self.paging.parameter: cursor} if self.paging and cursor else {})}

    def open(self, body: t.Any, cursor: str) -> tuple[list[Record], str]:
        """Take the records and the next cursor, empty at the end of the list, out of an answer.

        Args:
            body: the parsed JSON.
            cursor: that the answer was asked for with.

        Raises:
            PagingError: if there are none to be found.
        """
        records = _RECORDS[self.envelope](body, self.records)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise PagingError(f"{self.stream}: BILL answered GET {self.path} without a list of records; {RUN_AGAIN}")
        if self.paging and self.paging.by_offset:
            at_end = len(records) < min(self.page_size, SMALLEST_PAGE)
            return records, "" if at_end else str(int(cursor or 0) + len(records))
        return records, str(body.get("nextPage") or "") if self.paging and isinstance(body, dict) else ""


def _of_all_lists(body: t.Any, _: str) -> t.Any:
    """Return what is in any list; a record that is named in another way than elsewhere gets its `id`.

    The fields of `/v3/login/organizations` are not documented; v2 calls them `orgId` and `orgName`.
    """
    lists = [value for value in body.values() if isinstance(value, list)] if isinstance(body, dict) else [body]
    found = [record for each in lists if isinstance(each, list) for record in each]
    if not lists or not all(isinstance(record, dict) for record in found):
        return None
    return [{"id": record.get("organizationId") or record.get("orgId"), **record} for record in found]


_RECORDS: t.Final[dict[Envelope, t.Callable[[t.Any, str], t.Any]]] = {
    Envelope.LIST: lambda body, records: body.get(records) if isinstance(body, dict) else None,
    Envelope.LISTS: _of_all_lists,
    Envelope.ARRAY: lambda body, _: body,
    Envelope.OBJECT: lambda body, _: [body],
}
"""How the records are taken out of each shape of answer."""

RUN_AGAIN: t.Final = (
    "nothing is lost, the bookmark has not moved: run again, and contact BILL's support if it happens again."
)
