# ruff: noqa: PLR2004 -- which row carries what follows from the parent's id
"""What is asked for once for each record of another resource: attachments, contacts, audit trails, bank accounts.

The rows follow from the parent's id, so that any program can tell what they must be. Paths, fields and envelopes are
documented, except: fields of customers' bank accounts (assumed); 404 for a vendor without bank account (inferred); what
`includeArchived` does to an audit trail (nothing, here).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bill_emulator.company.ledger import CLOSED
from bill_emulator.times import DAY, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.stored import Row


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of part: `shape` is "list", "array" (with `start` and `max`) or "single" (404 where there is none)."""

    path: str
    parent: str
    make: Callable[[str, int], Row]
    shape: str = "list"
    most: int = 3

    def rows(self, parent_id: str) -> list[Row]:
        """The rows of a parent, from none to `most`."""
        count = zlib.crc32(f"{self.path}{parent_id}".encode()) % (self.most + 1)
        return [self.make(parent_id, number) for number in range(count)]


def _id(prefix: str, parent_id: str, number: int) -> str:
    return f"{prefix}02{zlib.crc32(f'{parent_id}/{number}'.encode()):012X}{number:03}"


def _file(prefix: str) -> Callable[[str, int], Row]:
    def make(parent_id: str, number: int) -> Row:
        return {
            "id": _id(prefix, parent_id, number),
            "name": f"Größe {number}.pdf",
            "createdTime": shown(CLOSED - number * DAY),
            "downloadLink": f"https://files.example/{parent_id}/{number}",
        }

    return make


def _document(parent_id: str, number: int) -> Row:
    """A document; while the upload runs, only the id is known (documented)."""
    if number == 2:
        return {"id": _id("0du", parent_id, number)}
    return {**_file("00h")(parent_id, number), "scanStatus": "CLEAN", "numOfPages": number + 1}


def _trail(parent_id: str, number: int) -> Row:
    change = {"previous": f"{number}@example.com", "current": f"{parent_id}@example.com"}
    return {
        "source": "WEB",
        "type": "UPDATE",
        "createdTime": shown(CLOSED - number * DAY),
        "user": {"id": "00602USER0000000001X", "name": "Noor Blake"},
        "field": {"name": "email", "value": change},
    }


def _contact(parent_id: str, number: int) -> Row:
    return {
        "id": _id("cpu", parent_id, number),
        "archived": number == 2,
        "firstName": "Zoë",
        "lastName": f"Moss {number}",
        "createdTime": shown(CLOSED - 2 * DAY),
        "updatedTime": shown(CLOSED - DAY),
    }


def _account(parent_id: str, number: int) -> Row:
    return {"id": _id("cba", parent_id, number), "archived": False}


def _bank_account(parent_id: str, _: int) -> Row:
    return {
        "nameOnAccount": f"Payee {parent_id[-4:]}",
        "accountNumber": "*****6789",
        "routingNumber": "322271627",
        "type": "CHECKING",
        "ownerType": "BUSINESS",
        "paymentCurrency": "USD",
    }


PARTS: dict[str, Part] = {
    "vendor_attachments": Part("/attachments/vendors/{id}", "vendors", _file("att")),
    "customer_attachments": Part("/attachments/customers/{id}", "customers", _file("att")),
    "invoice_attachments": Part("/attachments/invoices/{id}", "invoices", _file("att")),
    "bill_documents": Part("/documents/bills/{id}", "bills", _document),
    "vendor_audit_trail": Part("/reports/audit-trail/vendor/{id}", "vendors", _trail, shape="array", most=45),
    "customer_contacts": Part("/customers/{id}/contacts", "customers", _contact),
    "customer_bank_accounts": Part("/customers/{id}/bank-accounts", "customers", _account, most=1),
    "vendor_bank_accounts": Part("/vendors/{id}/bank-account", "vendors", _bank_account, shape="single", most=1),
}
