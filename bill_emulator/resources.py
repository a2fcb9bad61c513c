"""The table of everything the emulator serves: path, id prefix, and what may be filtered and sorted.

Each filter and sort carries how well it is known:

* `OFFICIAL`: in BILL's own tables or published examples;
* `OBSERVED`: somebody reported having run it;
* `ASSUMED`: only third-party code, analogy or inference. `refuse_assumed` makes the emulator answer 400 to these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OFFICIAL = "official"
OBSERVED = "observed"
ASSUMED = "assumed"

TEXT = "text"
FLAG = "flag"
TIME = "time"
DATE = "date"
NUMBER = "number"

# Fields which are not plain text.
_KINDS = {
    "archived": FLAG,
    "onlinePayment": FLAG,
    "accessToAdmins": FLAG,
    "createdTime": TIME,
    "updatedTime": TIME,
    "dueDate": DATE,
    "processDate": DATE,
    "creditDate": DATE,
    "invoiceDate": DATE,
    "amount": NUMBER,
    "appliedAmount": NUMBER,
    "totalAmount": NUMBER,
    "fundingAmount": NUMBER,
    "exchangeRate": NUMBER,
}

# Filter names whose value sits elsewhere in the row.
_PATHS = {("customers", "address.country"): "billingAddress.country"}

_RANGE = ("gt", "gte", "lt", "lte")
_MEMBER = ("eq", "ne", "in")
_ENUM = ("eq", "ne", "in", "nin")


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a list can be filtered or sorted by; rows without it come first in `asc`, or last."""

    name: str
    kind: str
    path: tuple[str, ...]
    missing_last: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A filterable field, its operators, and how well that is known."""

    field: Field
    operators: frozenset[str]
    confidence: str


@dataclass(frozen=True, slots=True)
class Sort:
    """A sortable field, and how well that is known."""

    field: Field
    confidence: str


@dataclass(frozen=True)
class Resource:
    """One kind of record: where it is served and how it may be asked for.

    `shape`: "list" (results with cursors), "array" (bare JSON array, no paging) or "single" (one object).
    `path` and `detail` are below `/v3`; `{organizationId}` and `{id}` are filled by the caller.
    """

    name: str
    path: str
    prefix: str
    shape: str = "list"
    detail: str | None = None
    filters: dict[str, Filter] = field(default_factory=dict)
    sorts: dict[str, Sort] = field(default_factory=dict)
    administrators_only: bool = False
    timed: bool = True


def _field(resource: str, name: str) -> Field:
    path = _PATHS.get((resource, name), name)
    return Field(name, _KINDS.get(name, TEXT), tuple(path.split(".")))


def _filters(resource: str, confidence: str, **operators: Iterable[str]) -> dict[str, Filter]:
    """Filters of one confidence; `__` in a keyword stands for the dot of a nested name."""
    named = {name.replace("__", "."): ops for name, ops in operators.items()}
    return {name: Filter(_field(resource, name), frozenset(ops), confidence) for name, ops in named.items()}


def _sorts(resource: str, names: str, confidence: str = OFFICIAL) -> dict[str, Sort]:
    return {name: Sort(_field(resource, name), confidence) for name in names.split()}


def _classification(name: str, path: str, prefix: str, sorts: str) -> Resource:
    """The seven classifications share one filter table, of which only `id` is shown by BILL itself."""
    where = f"/classifications/{path}"
    return Resource(
        name,
        where,
        prefix,
        detail=where + "/{id}",
        filters=_filters(name, OFFICIAL, id=_MEMBER)
        | _filters(name, ASSUMED, archived=("eq", "ne"), name=("eq", "sw"), createdTime=_RANGE, updatedTime=_RANGE),
        sorts=_sorts(name, sorts),
    )


_TREE_SORTS = "archived name description createdTime updatedTime"
_PERSON_SORTS = "archived firstName lastName createdTime updatedTime"

_ALL = (
    Resource(
        "vendors",
        "/vendors",
        "009",
        detail="/vendors/{id}",
        filters=_filters(
            "vendors",
            OFFICIAL,
            id=_MEMBER,
            archived=("eq", "ne"),
            name=("eq", "sw"),
            accountType=_ENUM,
            address__country=("eq", "ne"),
            billCurrency=_ENUM,
            createdTime=_RANGE,
            updatedTime=_RANGE,
        )
        # The official table is shared with customers and does not say whose row this is; vendors have no such field.
        | _filters("vendors", ASSUMED, paymentStatus=_ENUM),
        sorts=_sorts("vendors", "archived name shortName email phone billCurrency createdTime updatedTime"),
    ),
    Resource(
        "bills",
        "/bills",
        "00n",
        detail="/bills/{id}",
        filters=_filters(
            "bills",
            OFFICIAL,
            id=_MEMBER,
            archived=("eq", "ne"),
            vendorId=("eq", "in"),
            dueDate=_RANGE,
            paymentStatus=_MEMBER,
            payFromChartOfAccountId=_MEMBER,
            classifications__chartOfAccountId=_MEMBER,
            classifications__accountingClassId=_MEMBER,
            classifications__departmentId=_MEMBER,
            classifications__locationId=_MEMBER,
            classifications__itemId=_MEMBER,
            createdTime=_RANGE,
            updatedTime=_RANGE,
        ),
        sorts=_sorts("bills", "archived fundingAmount exchangeRate description dueDate createdTime updatedTime"),
    ),
    Resource(
        "payments",
        "/payments",
        "stp",
        detail="/payments/{id}",
        filters=_filters("payments", OFFICIAL, id=_MEMBER, vendorId=_MEMBER)
        | _filters("payments", ASSUMED, processDate=_RANGE, createdTime=_RANGE, updatedTime=_RANGE),
        sorts=_sorts(
            "payments",
            "description processDate amount confirmationNumber onlinePayment createdTime updatedTime"
            " disbursementStatus",
        ),
    ),
    Resource(
        "vendor_credits",
        "/vendor-credits",
        "vcr",
        detail="/vendor-credits/{id}",
        filters=_filters(
            "vendor_credits",
            ASSUMED,
            id=_MEMBER,
            archived=("eq", "ne"),
            vendorId=("eq", "in"),
            createdTime=_RANGE,
            updatedTime=_RANGE,
        ),
        sorts=_sorts("vendor_credits", "archived creditDate amount appliedAmount createdTime updatedTime"),
    ),
    Resource(
        "recurring_bills",
        "/recurringbills",
        "btp",
        detail="/recurringbills/{id}",
        filters=_filters("recurring_bills", OFFICIAL, id=_MEMBER, archived=("eq", "ne"), vendorId=("eq", "in")),
        sorts=_sorts("recurring_bills", "archived"),
    ),
    Resource("bill_approval_policies", "/bill-approvals/policies", "apl", shape="array", timed=False),
    Resource(
        "customers",
        "/customers",
        "0cu",
        detail="/customers/{id}",
        filters=_filters(
            "customers",
            OFFICIAL,
            id=_MEMBER,
            archived=("eq", "ne"),
            name=("eq", "sw"),
            accountType=_ENUM,
            invoiceCurrency=_ENUM,
            createdTime=_RANGE,
            updatedTime=_RANGE,
        )
        # See vendors: the shared official table does not say that these two rows belong to customers.
        | _filters("customers", ASSUMED, address__country=("eq", "ne"), paymentStatus=_ENUM),
        sorts=_sorts(
            "customers",
            "archived name companyName email phone fax description invoiceCurrency createdTime updatedTime",
        ),
    ),
    Resource(
        "invoices",
        "/invoices",
        "00e",
        detail="/invoices/{id}",
        filters=_filters(
            "invoices",
            OFFICIAL,
            id=_MEMBER,
            archived=("eq", "ne"),
            customerId=("eq", "in"),
            payToChartOfAccountId=_MEMBER,
            classifications__accountingClassId=_MEMBER,
            classifications__departmentId=_MEMBER,
            classifications__locationId=_MEMBER,
            classifications__itemId=_MEMBER,
            createdTime=_RANGE,
            updatedTime=_RANGE,
        ),
        sorts=_sorts("invoices", "archived invoiceNumber invoiceDate dueDate totalAmount createdTime updatedTime"),
    ),
    Resource(
        "receivable_payments",
        "/receivable-payments",
        "0rp",
        detail="/receivable-payments/{id}",
        filters=_filters("receivable_payments", OBSERVED, updatedTime=_RANGE)
        | _filters("receivable_payments", ASSUMED, id=_MEMBER, customerId=("eq", "in"), createdTime=_RANGE),
        sorts=_sorts("receivable_payments", "amount createdTime updatedTime"),
    ),
    Resource(
        "credit_memos",
        "/credit-memos",
        "ccr",
        detail="/credit-memos/{id}",
        filters=_filters(
            "credit_memos",
            ASSUMED,
            id=_MEMBER,
            archived=("eq", "ne"),
            customerId=("eq", "in"),
            createdTime=_RANGE,
            updatedTime=_RANGE,
        ),
        sorts=_sorts("credit_memos", "archived creditDate amount appliedAmount createdTime updatedTime"),
    ),
    Resource(
        "recurring_invoices",
        "/recurring-invoices",
        "rit",
        detail="/recurring-invoices/{id}",
        filters=_filters("recurring_invoices", ASSUMED, id=_MEMBER, archived=("eq", "ne"), customerId=("eq", "in")),
        sorts=_sorts("recurring_invoices", "archived"),
    ),
    _classification("accounting_classes", "accounting-classes", "cls", _TREE_SORTS),
    _classification("chart_of_accounts", "chart-of-accounts", "0ca", _TREE_SORTS),
    _classification("departments", "departments", "0de", _TREE_SORTS),
    _classification("employees", "employees", "emp", _PERSON_SORTS),
    _classification("items", "items", "0ii", _TREE_SORTS),
    _classification("jobs", "jobs", "job", _TREE_SORTS),
    _classification("locations", "locations", "loc", _TREE_SORTS),
    # Before bank_accounts, whose detail path would otherwise take "users" for an id.
    Resource(
        "bank_account_users",
        "/funding-accounts/banks/users",
        "bau",
        filters=_filters("bank_account_users", OFFICIAL, id=_MEMBER)
        | _filters("bank_account_users", ASSUMED, archived=("eq", "ne")),
        sorts=_sorts("bank_account_users", "archived"),
    ),
    Resource(
        "bank_accounts",
        "/funding-accounts/banks",
        "bac",
        detail="/funding-accounts/banks/{id}",
        filters=_filters(
            "bank_accounts",
            OFFICIAL,
            id=_MEMBER,
            archived=("eq", "ne"),
            status=_ENUM,
            type=("eq", "ne"),
            ownerType=("eq", "ne"),
            accessToAdmins=("eq", "ne"),
            createdTime=_RANGE,
            updatedTime=_RANGE,
        ),
        sorts=_sorts("bank_accounts", "archived nameOnAccount bankName accessToAdmins createdTime updatedTime"),
    ),
    Resource(
        "users",
        "/users",
        "006",
        detail="/users/{id}",
        filters=_filters("users", ASSUMED, id=_MEMBER, archived=("eq", "ne"), createdTime=_RANGE, updatedTime=_RANGE),
        sorts=_sorts("users", _PERSON_SORTS),
    ),
    Resource(
        "roles",
        "/roles",
        "0po",
        detail="/roles/{id}",
        filters=_filters("roles", OFFICIAL, id=_MEMBER),
        sorts=_sorts("roles", "description createdTime updatedTime"),
    ),
    Resource(
        "payment_terms",
        "/organizations/{organizationId}/payment-terms",
        "00p",
        detail="/organizations/{organizationId}/payment-terms/{id}",
    ),
    Resource("organization", "/organizations/{organizationId}", "008", shape="single", administrators_only=True),
)

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _ALL}
