"""THE TABLE: one row per BILL resource, and nothing about resources anywhere else.

A row and a file in `schemas/` are all it takes to add a stream. Facts: BILL's API reference and Postman collection;
`Clock` says for each resource how sure it is that BILL filters and sorts it by time.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass


class Envelope(enum.Enum):
    """Shape of the answer."""

    PAGED = "`results`, and `nextPage` while there is more"
    ARRAY = "a bare array with every record, not paged"
    OBJECT = "one object: the only record"


class Clock(enum.Enum):
    """Whether BILL filters the list by `updatedTime` and sorts it by `createdTime`."""

    DOCUMENTED = "BILL documents it, or it was seen to work"
    ASSUMED = "other readers rely on it; read whole if BILL refuses"
    NONE = "not documented, so it is read whole every time"


class Key(enum.Enum):
    """What tells the lines of one parent apart."""

    ID = "id"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class Lines:
    """An array inside a record that also comes as a stream of its own.

    Args:
        name: the stream.
        array: field of the parent that holds the lines; a second name is an array inside each of its entries.
        key: `ID` where BILL gives each line an id of its own, else `POSITION`.
        enclosing: column for the id of the entry that encloses a nested array.
    """

    name: str
    array: tuple[str, ...]
    key: Key
    enclosing: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A readable BILL resource.

    Args:
        name: the stream.
        bill_object: BILL's name for it, for the README.
        path: below `api_url`; `{organization_id}` is filled in.
        clock: how sure reading by time is.
        envelope: shape of the answer.
        parent_key: column by which line tables name the record.
        lines: arrays that come as streams of their own.
        permission: what the user needs to read it, where BILL documents that.
    """

    name: str
    bill_object: str
    path: str
    clock: Clock
    envelope: Envelope = Envelope.PAGED
    parent_key: str = ""
    lines: tuple[Lines, ...] = ()
    permission: str = ""

    @property
    def needs(self) -> str:
        """What the user needs to read it, in words."""
        return self.permission or f"a role with permission to read {self.bill_object} records"


RESOURCES: t.Final[tuple[Resource, ...]] = (
    # Accounts payable
    Resource("vendors", "Vendor", "/v3/vendors", Clock.DOCUMENTED),
    Resource(
        "bills",
        "Bill",
        "/v3/bills",
        Clock.DOCUMENTED,
        parent_key="billId",
        lines=(
            Lines("bill_line_items", ("billLineItems",), Key.ID),
            Lines("bill_approvers", ("approvers",), Key.POSITION),
        ),
    ),
    Resource(
        "payments",
        "Payment",
        "/v3/payments",
        Clock.ASSUMED,
        parent_key="paymentId",
        lines=(
            Lines("payment_bill_payments", ("billPayments",), Key.ID),
            Lines("payment_vendor_credits", ("billPayments", "vendorCredits"), Key.POSITION, enclosing="billPaymentId"),
            Lines("payment_voids", ("voidInfo",), Key.ID),
        ),
    ),
    Resource(
        "vendor_credits",
        "Vendor credit",
        "/v3/vendor-credits",
        Clock.ASSUMED,
        parent_key="vendorCreditId",
        lines=(
            Lines("vendor_credit_line_items", ("vendorCreditLineItems",), Key.ID),
            Lines("vendor_credit_usage", ("usage",), Key.POSITION),
        ),
    ),
    Resource(
        "recurring_bills",
        "Recurring bill",
        "/v3/recurringbills",
        Clock.NONE,
        parent_key="recurringBillId",
        lines=(Lines("recurring_bill_line_items", ("recurringBillLineItems",), Key.ID),),
    ),
    Resource(
        "bill_approval_policies",
        "Bill approval policy",
        "/v3/bill-approvals/policies",
        Clock.NONE,
        envelope=Envelope.ARRAY,
    ),
    # Accounts receivable
    Resource("customers", "Customer", "/v3/customers", Clock.DOCUMENTED),
    Resource(
        "invoices",
        "Invoice",
        "/v3/invoices",
        Clock.DOCUMENTED,
        parent_key="invoiceId",
        lines=(
            Lines("invoice_line_items", ("invoiceLineItems",), Key.ID),
            Lines("invoice_payments", ("payments",), Key.POSITION),
        ),
    ),
    Resource(
        "receivable_payments",
        "Received payment",
        "/v3/receivable-payments",
        Clock.DOCUMENTED,
        parent_key="receivedPaymentId",
        lines=(Lines("receivable_payment_invoice_payments", ("invoicePayments",), Key.POSITION),),
    ),
    Resource(
        "credit_memos",
        "Credit memo",
        "/v3/credit-memos",
        Clock.ASSUMED,
        parent_key="creditMemoId",
        lines=(
            Lines("credit_memo_line_items", ("creditMemoLineItems",), Key.ID),
            Lines("credit_memo_usage", ("usage",), Key.POSITION),
        ),
    ),
    Resource(
        "recurring_invoices",
        "Recurring invoice",
        "/v3/recurring-invoices",
        Clock.NONE,
        parent_key="recurringInvoiceId",
        lines=(Lines("recurring_invoice_line_items", ("recurringInvoiceLineItems",), Key.ID),),
    ),
    # Classifications
    Resource("accounting_classes", "Accounting class", "/v3/classifications/accounting-classes", Clock.ASSUMED),
    Resource("chart_of_accounts", "Chart of accounts", "/v3/classifications/chart-of-accounts", Clock.ASSUMED),
    Resource("departments", "Department", "/v3/classifications/departments", Clock.ASSUMED),
    Resource("employees", "Employee", "/v3/classifications/employees", Clock.ASSUMED),
    Resource("items", "Item", "/v3/classifications/items", Clock.ASSUMED),
    Resource("jobs", "Job", "/v3/classifications/jobs", Clock.ASSUMED),
    Resource("locations", "Location", "/v3/classifications/locations", Clock.ASSUMED),
    # Organization
    Resource("bank_accounts", "Bank account", "/v3/funding-accounts/banks", Clock.DOCUMENTED),
    Resource("bank_account_users", "Bank account user", "/v3/funding-accounts/banks/users", Clock.NONE),
    Resource("users", "User", "/v3/users", Clock.ASSUMED),
    Resource("roles", "Role", "/v3/roles", Clock.NONE),
    Resource("payment_terms", "Payment term", "/v3/organizations/{organization_id}/payment-terms", Clock.NONE),
    Resource(
        "organization",
        "Organization",
        "/v3/organizations/{organization_id}",
        Clock.NONE,
        envelope=Envelope.OBJECT,
        permission="the role of an administrator",
    ),
)
"""Every resource that is read by default, in the order of BILL's reference."""
