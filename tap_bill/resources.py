"""THE TABLE: one row per BILL resource, and nothing about resources anywhere else.

A row and a file in `schemas/` are all it takes to add a stream. Facts: BILL's API reference and Postman collection;
`Clock` says for each resource how sure it is that BILL filters and sorts it by time.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Mapping


class Area(enum.Enum):
    """Part of BILL; the value is its name for the docs."""

    PAYABLE = "Accounts payable"
    RECEIVABLE = "Accounts receivable"
    CLASSIFICATION = "Classifications"
    ORGANIZATION = "Organization"
    SPEND = "Spend & Expense"


class Envelope(enum.Enum):
    """Shape of the answer."""

    LIST = "an object with the records in a list, and `nextPage` while there is more"
    LISTS = "an object in which every list holds records, and `nextPage` while there is more"
    ARRAY = "a bare array of records"
    OBJECT = "one object: the only record"


@dataclass(frozen=True, slots=True)
class Paging:
    """How the next page is asked for.

    Args:
        parameter: what the cursor of the last answer goes into.
        most: rows per page at most, asked for with `max`; 0 where the size is fixed.
        by_offset: whether BILL answers no cursor, and `parameter` counts the rows to leave out.
    """

    parameter: str
    most: int = 100
    by_offset: bool = False


BY_PAGE: t.Final = Paging("page")
BY_NEXT_PAGE: t.Final = Paging("nextPage")
"""Spend & Expense; there, BILL ignores parameters that it does not know."""


BY_UUID: t.Final = ("uuid",)
"""The key of Spend & Expense, where BILL has deprecated `id` (BILL: changelog of 2025-07-09, transaction reporting)."""


class Changes(enum.Enum):
    """Whether BILL filters the list by `updatedTime` and sorts it by `createdTime`."""

    DOCUMENTED = "BILL documents it, or it was seen to work"
    ASSUMED = "other readers rely on it; read whole if BILL refuses"
    FILTER_ONLY = "BILL documents the filter, and no sort; the bookmark moves when all is read"
    NONE = "not documented, so it is read whole every time"


class Key(enum.Enum):
    """What tells the lines of one parent apart."""

    ID = "id"
    UUID = "uuid"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class Array:
    """An array of objects inside a record.

    Args:
        name: field that holds it; `approvers.users` where it lies in an object.
        inner: array inside each of its entries that holds the lines; empty where the entries are the lines.
        enclosing: column for what tells the entry around a line from its neighbours; needed where lines have ids.
        shared: fields of that entry that its lines carry, because it comes in no other table; an entry without lines
            brings a row of these alone.
        renamed: fields of a line that the other arrays of its table call otherwise, each with that name.
    """

    name: str
    inner: str = ""
    enclosing: tuple[str, Key] | None = None
    shared: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def path(self) -> str:
        """Where the lines are, as in `billPayments[].vendorCredits`."""
        return f"{self.name}[].{self.inner}" if self.inner else self.name


@dataclass(frozen=True, slots=True)
class Lines:
    """Arrays inside a record that also come as a stream of their own.

    Args:
        name: the stream.
        key: `ID` or `UUID` where BILL gives each line one of its own, else `POSITION`.
        arrays: what holds the lines; most often one array.
    """

    name: str
    key: Key
    arrays: tuple[Array, ...]

    @property
    def enclosing(self) -> tuple[str, ...]:
        """Columns for the entries around the lines."""
        return tuple(array.enclosing[0] for array in self.arrays if array.enclosing)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """What tells the lines of one parent apart.

        A position is counted through the whole parent; an id may occur again inside another entry.
        """
        return (self.key.value,) if self.key is Key.POSITION else (*self.enclosing, self.key.value)


@dataclass(frozen=True, slots=True)
class Parent:
    """The resource for each of whose records another one is asked for.

    Args:
        stream: the parent.
        column: what the parent's id or uuid is called in the rows.
    """

    stream: str
    column: str


@dataclass(frozen=True, slots=True)
class Touch:
    """Records of another resource that a change of this one may change, too.

    Args:
        stream: theirs; it is read before this one.
        fields: where their ids are, as in `billPayments[].billId`.
    """

    stream: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """A readable BILL resource.

    Args:
        name: the stream.
        bill_object: BILL's name for it, for the docs.
        path: below `api_url`; `{organization_id}` and `{parent_id}` are filled in.
        changes: how sure reading by time is.
        area: part of BILL. Spend & Expense is read with a token of its own, all others with a session.
        envelope: shape of the answer.
        records: the list in an `Envelope.LIST`.
        paging: how the next page is asked for; None where everything comes at once.
        key: columns that tell the records of an organization apart.
        queries: parameters to ask with, each in turn: what they bring together is the list.
        parent: the resource for each record of which it is asked for; None for most.
        is_default: whether it is read unless somebody deselects it; if not, only where somebody selects it.
        parent_key: column by which line tables name the record.
        lines: arrays of objects that come as streams of their own: all that BILL publishes.
        touches: what a change of it may change elsewhere, whether or not BILL moves the `updatedTime` there (nobody has
            written that down); it is read again in the same run. Every target is a list with a documented or assumed
            filter `id:in`.
        permission: what the user needs to read it, where BILL documents that.
    """

    name: str
    bill_object: str
    path: str
    changes: Changes
    area: Area
    envelope: Envelope = Envelope.LIST
    records: str = "results"
    paging: Paging | None = BY_PAGE
    key: tuple[str, ...] = ("id",)
    queries: tuple[Mapping[str, str], ...] = field(default=({},), hash=False)
    parent: Parent | None = None
    is_default: bool = True
    parent_key: str = ""
    lines: tuple[Lines, ...] = ()
    touches: tuple[Touch, ...] = ()
    permission: str = ""

    @property
    def identifier(self) -> str:
        """Field by which its lines, and what is asked for by record, name a record: `id`, or `uuid`."""
        return self.key[0]

    @property
    def tables(self) -> tuple[str, ...]:
        """The streams that it brings: its own, then those of its lines."""
        return (self.name, *(lines.name for lines in self.lines))

    @property
    def is_spend(self) -> bool:
        """Whether it belongs to Spend & Expense."""
        return self.area is Area.SPEND

    @property
    def needs(self) -> str:
        """What the user needs to read it, in words."""
        return self.permission or f"a role with permission to read {self.bill_object} records"


WITH_RETIRED: t.Final = ({"filters": "retired:eq:false"}, {"filters": "retired:eq:true"})
"""What is retired was seen to be missing from a list that is asked for without filter (budgets)."""


OF_VENDOR: t.Final = Touch("vendors", ("vendorId",))
OF_CUSTOMER: t.Final = Touch("customers", ("customerId",))
"""The party, which has a balance. What recurs touches nobody: only the bills and invoices made of it are owed."""


def _custom_fields(what: str) -> tuple[Lines, Lines]:
    """Return the line tables of the custom fields that Spend & Expense records carry."""
    values = Array("customFields", "selectedValues", ("customFieldUuid", Key.UUID))
    return (
        Lines(f"{what}_custom_fields", Key.UUID, (Array("customFields"),)),
        Lines(f"{what}_custom_field_values", Key.UUID, (values,)),
    )


RESOURCES: t.Final[tuple[Resource, ...]] = (
    # Accounts payable
    Resource("vendors", "Vendor", "/v3/vendors", Changes.DOCUMENTED, Area.PAYABLE),
    Resource(
        "bills",
        "Bill",
        "/v3/bills",
        Changes.DOCUMENTED,
        Area.PAYABLE,
        parent_key="billId",
        lines=(
            Lines("bill_line_items", Key.ID, (Array("billLineItems"),)),
            Lines("bill_approvers", Key.POSITION, (Array("approvers"),)),
        ),
        touches=(OF_VENDOR,),
    ),
    Resource(
        "vendor_credits",
        "Vendor credit",
        "/v3/vendor-credits",
        Changes.ASSUMED,
        Area.PAYABLE,
        parent_key="vendorCreditId",
        lines=(
            Lines("vendor_credit_line_items", Key.ID, (Array("vendorCreditLineItems"),)),
            Lines("vendor_credit_usage", Key.POSITION, (Array("usage"),)),
        ),
        touches=(Touch("bills", ("usage[].billId",)), OF_VENDOR),
    ),
    Resource(
        "payments",
        "Payment",
        "/v3/payments",
        Changes.ASSUMED,
        Area.PAYABLE,
        parent_key="paymentId",
        lines=(
            Lines("payment_bill_payments", Key.ID, (Array("billPayments"),)),
            Lines(
                "payment_vendor_credits",
                Key.POSITION,
                (Array("billPayments", "vendorCredits", ("billPaymentId", Key.ID)),),
            ),
            Lines("payment_voids", Key.ID, (Array("voidInfo"),)),
        ),
        touches=(
            Touch("bills", ("billId", "billPayments[].billId")),
            Touch("vendor_credits", ("billPayments[].vendorCredits[].id",)),
            OF_VENDOR,
        ),
    ),
    Resource(
        "recurring_bills",
        "Recurring bill",
        "/v3/recurringbills",
        Changes.NONE,
        Area.PAYABLE,
        parent_key="recurringBillId",
        lines=(Lines("recurring_bill_line_items", Key.ID, (Array("recurringBillLineItems"),)),),
    ),
    Resource(
        "bill_approval_policies",
        "Bill approval policy",
        "/v3/bill-approvals/policies",
        Changes.NONE,
        Area.PAYABLE,
        envelope=Envelope.ARRAY,
        paging=None,
        parent_key="billApprovalPolicyId",
        lines=(
            Lines(
                "bill_approval_policy_rules",
                Key.POSITION,
                (Array("rules", "values", ("rulePosition", Key.POSITION), shared=("key", "op")),),
            ),
            Lines(
                "bill_approval_policy_approvers",
                Key.POSITION,
                (
                    Array("approvers.users"),
                    Array("approvers.groups", "users", shared=("groupId", "groupName"), renamed={"id": "userId"}),
                ),
            ),
        ),
    ),
    # Accounts receivable
    Resource("customers", "Customer", "/v3/customers", Changes.DOCUMENTED, Area.RECEIVABLE),
    Resource(
        "invoices",
        "Invoice",
        "/v3/invoices",
        Changes.DOCUMENTED,
        Area.RECEIVABLE,
        parent_key="invoiceId",
        lines=(
            Lines("invoice_line_items", Key.ID, (Array("invoiceLineItems"),)),
            Lines("invoice_payments", Key.POSITION, (Array("payments"),)),
        ),
        touches=(OF_CUSTOMER,),
    ),
    Resource(
        "receivable_payments",
        "Received payment",
        "/v3/receivable-payments",
        Changes.DOCUMENTED,
        Area.RECEIVABLE,
        parent_key="receivedPaymentId",
        lines=(Lines("receivable_payment_invoice_payments", Key.POSITION, (Array("invoicePayments"),)),),
        touches=(Touch("invoices", ("invoicePayments[].invoiceId",)), OF_CUSTOMER),
    ),
    Resource(
        "credit_memos",
        "Credit memo",
        "/v3/credit-memos",
        Changes.ASSUMED,
        Area.RECEIVABLE,
        parent_key="creditMemoId",
        lines=(
            Lines("credit_memo_line_items", Key.ID, (Array("creditMemoLineItems"),)),
            Lines("credit_memo_usage", Key.POSITION, (Array("usage"),)),
        ),
        touches=(Touch("invoices", ("usage[].invoiceId",)), OF_CUSTOMER),
    ),
    Resource(
        "recurring_invoices",
        "Recurring invoice",
        "/v3/recurring-invoices",
        Changes.NONE,
        Area.RECEIVABLE,
        parent_key="recurringInvoiceId",
        lines=(Lines("recurring_invoice_line_items", Key.ID, (Array("recurringInvoiceLineItems"),)),),
    ),
    # Classifications
    Resource(
        "accounting_classes",
        "Accounting class",
        "/v3/classifications/accounting-classes",
        Changes.ASSUMED,
        Area.CLASSIFICATION,
    ),
    Resource(
        "chart_of_accounts",
        "Chart of accounts",
        "/v3/classifications/chart-of-accounts",
        Changes.ASSUMED,
        Area.CLASSIFICATION,
    ),
    Resource("departments", "Department", "/v3/classifications/departments", Changes.ASSUMED, Area.CLASSIFICATION),
    Resource("employees", "Employee", "/v3/classifications/employees", Changes.ASSUMED, Area.CLASSIFICATION),
    Resource("items", "Item", "/v3/classifications/items", Changes.ASSUMED, Area.CLASSIFICATION),
    Resource("jobs", "Job", "/v3/classifications/jobs", Changes.ASSUMED, Area.CLASSIFICATION),
    Resource("locations", "Location", "/v3/classifications/locations", Changes.ASSUMED, Area.CLASSIFICATION),
    # Organization
    Resource("bank_accounts", "Bank account", "/v3/funding-accounts/banks", Changes.DOCUMENTED, Area.ORGANIZATION),
    Resource(
        "bank_account_users", "Bank account user", "/v3/funding-accounts/banks/users", Changes.NONE, Area.ORGANIZATION
    ),
    Resource("users", "User", "/v3/users", Changes.ASSUMED, Area.ORGANIZATION),
    Resource("roles", "Role", "/v3/roles", Changes.NONE, Area.ORGANIZATION),
    Resource(
        "payment_terms",
        "Payment term",
        "/v3/organizations/{organization_id}/payment-terms",
        Changes.NONE,
        Area.ORGANIZATION,
    ),
    Resource(
        "organization",
        "Organization",
        "/v3/organizations/{organization_id}",
        Changes.NONE,
        Area.ORGANIZATION,
        envelope=Envelope.OBJECT,
        paging=None,
        permission="the role of an administrator",
    ),
    # Spend & Expense
    Resource(
        "spend_transactions",
        "Card transaction",
        "/v3/spend/transactions",
        Changes.FILTER_ONLY,
        Area.SPEND,
        paging=Paging("nextPage", most=50),
        key=BY_UUID,
        # Edits do not change the order of occurredTime, so they cannot move a row past the reader.
        queries=({"sort": "occurredTime:asc", "includeReceipts": "true"},),
        parent_key="transactionUuid",
        lines=(
            *_custom_fields("spend_transaction"),
            Lines("spend_transaction_reviewers", Key.POSITION, (Array("reviewers"),)),
            Lines("spend_transaction_receipts", Key.UUID, (Array("receipts"),)),
            Lines("spend_transaction_reviews", Key.POSITION, (Array("reviews"),)),
            Lines(
                "spend_transaction_accounting_transactions",
                Key.POSITION,
                (Array("accountingIntegrationTransactions"),),
            ),
        ),
    ),
    Resource(
        "spend_reimbursements",
        "Reimbursement",
        "/v3/spend/reimbursements",
        Changes.NONE,
        Area.SPEND,
        paging=BY_NEXT_PAGE,
        key=BY_UUID,
        queries=WITH_RETIRED,
        parent_key="reimbursementUuid",
        lines=(
            *_custom_fields("spend_reimbursement"),
            Lines("spend_reimbursement_receipts", Key.UUID, (Array("receipts"),)),
            Lines("spend_reimbursement_status_history", Key.POSITION, (Array("statusHistory"),)),
        ),
    ),
    Resource("spend_cards", "Card", "/v3/spend/cards", Changes.NONE, Area.SPEND, paging=BY_NEXT_PAGE, key=BY_UUID),
    Resource(
        "spend_budgets",
        "Budget",
        "/v3/spend/budgets",
        Changes.NONE,
        Area.SPEND,
        paging=BY_NEXT_PAGE,
        key=BY_UUID,
        queries=WITH_RETIRED,
    ),
    Resource(
        "spend_users",
        "Spend & Expense user",
        "/v3/spend/users",
        Changes.NONE,
        Area.SPEND,
        paging=BY_NEXT_PAGE,
        key=BY_UUID,
        queries=WITH_RETIRED,
    ),
    Resource(
        "spend_custom_fields",
        "Custom field",
        "/v3/spend/custom-fields",
        Changes.NONE,
        Area.SPEND,
        paging=BY_NEXT_PAGE,
        key=BY_UUID,
        queries=WITH_RETIRED,
    ),
    # One request for each record of another stream
    Resource(
        "vendor_attachments",
        "Vendor attachment",
        "/v3/attachments/vendors/{parent_id}",
        Changes.NONE,
        Area.PAYABLE,
        key=("vendorId", "id"),
        parent=Parent("vendors", "vendorId"),
        is_default=False,
    ),
    Resource(
        "customer_attachments",
        "Customer attachment",
        "/v3/attachments/customers/{parent_id}",
        Changes.NONE,
        Area.RECEIVABLE,
        key=("customerId", "id"),
        parent=Parent("customers", "customerId"),
        is_default=False,
    ),
    Resource(
        "invoice_attachments",
        "Invoice attachment",
        "/v3/attachments/invoices/{parent_id}",
        Changes.NONE,
        Area.RECEIVABLE,
        key=("invoiceId", "id"),
        parent=Parent("invoices", "invoiceId"),
        is_default=False,
    ),
    Resource(
        "bill_documents",
        "Bill document",
        "/v3/documents/bills/{parent_id}",
        Changes.NONE,
        Area.PAYABLE,
        key=("billId", "id"),
        parent=Parent("bills", "billId"),
        is_default=False,
    ),
    Resource(
        "vendor_audit_trail",
        "Vendor audit trail",
        "/v3/reports/audit-trail/vendor/{parent_id}",
        Changes.NONE,
        Area.PAYABLE,
        envelope=Envelope.ARRAY,
        paging=Paging("start", by_offset=True),
        queries=({"includeArchived": "true"},),
        key=("vendorId", "position"),
        parent=Parent("vendors", "vendorId"),
        is_default=False,
    ),
    Resource(
        "customer_contacts",
        "Customer contact",
        "/v3/customers/{parent_id}/contacts",
        Changes.NONE,
        Area.RECEIVABLE,
        key=("customerId", "id"),
        parent=Parent("customers", "customerId"),
        is_default=False,
    ),
    Resource(
        "customer_bank_accounts",
        "Customer bank account",
        "/v3/customers/{parent_id}/bank-accounts",
        Changes.NONE,
        Area.RECEIVABLE,
        key=("customerId", "id"),
        parent=Parent("customers", "customerId"),
        is_default=False,
    ),
    Resource(
        "vendor_bank_accounts",
        "Vendor bank account",
        "/v3/vendors/{parent_id}/bank-account",
        Changes.NONE,
        Area.PAYABLE,
        envelope=Envelope.OBJECT,
        paging=None,
        key=("vendorId",),
        parent=Parent("vendors", "vendorId"),
        is_default=False,
    ),
    Resource(
        "spend_budget_members",
        "Budget member",
        "/v3/spend/budgets/{parent_id}/members",
        Changes.NONE,
        Area.SPEND,
        paging=BY_NEXT_PAGE,
        queries=WITH_RETIRED,
        key=("budgetUuid", "userUuid"),
        parent=Parent("spend_budgets", "budgetUuid"),
        is_default=False,
    ),
    Resource(
        "spend_custom_field_values",
        "Custom field value",
        "/v3/spend/custom-fields/{parent_id}/values",
        Changes.NONE,
        Area.SPEND,
        paging=BY_NEXT_PAGE,
        queries=WITH_RETIRED,
        key=("customFieldUuid", "uuid"),
        parent=Parent("spend_custom_fields", "customFieldUuid"),
        is_default=False,
    ),
    # Of use to few
    Resource(
        "bills_pending_approval",
        "Pending approval",
        "/v3/bill-approvals/pending-user-approvals",
        Changes.NONE,
        Area.PAYABLE,
        records="bills",
        paging=None,
        key=("billId",),
        is_default=False,
        permission="a user of BILL's own as username, since BILL lists what waits for that user",
    ),
    Resource(
        "card_accounts",
        "Card account",
        "/v3/funding-accounts/cards",
        Changes.NONE,
        Area.ORGANIZATION,
        records="cards",
        paging=None,
        queries=({"cardUserStatus": "VERIFIED"}, {"cardUserStatus": "NOMINATED"}),
        is_default=False,
    ),
    Resource(
        "card_account_users",
        "Card account user",
        "/v3/funding-accounts/cards/users",
        Changes.NONE,
        Area.ORGANIZATION,
        key=("cardAccountId", "userId"),
        is_default=False,
    ),
    Resource(
        "ap_cards",
        "AP card",
        "/v3/funding-accounts/ap-cards",
        Changes.NONE,
        Area.ORGANIZATION,
        envelope=Envelope.ARRAY,
        paging=None,
        is_default=False,
    ),
    Resource(
        "billing_statements",
        "Billing statement",
        "/v3/organizations/{organization_id}/billing-statements",
        Changes.NONE,
        Area.ORGANIZATION,
        is_default=False,
    ),
    Resource(
        "login_organizations",
        "Organization that the user may sign in to",
        "/v3/login/organizations",
        Changes.NONE,
        Area.ORGANIZATION,
        envelope=Envelope.LISTS,
        paging=Paging("page", most=0),
        is_default=False,
    ),
    Resource(
        "organization_price_plan",
        "Price plan",
        "/v3/organizations/{organization_id}/price-plan",
        Changes.NONE,
        Area.ORGANIZATION,
        envelope=Envelope.OBJECT,
        paging=None,
        is_default=False,
        parent_key="pricePlanId",
        lines=(Lines("organization_price_plan_terms", Key.POSITION, (Array("planTerms"),)),),
        permission="the role of an administrator",
    ),
)
"""Every resource, those that are read by default first."""
