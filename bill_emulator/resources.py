"""The table of everything the emulator serves: path, id prefix, and what may be filtered and sorted.

What may be sorted by is official. Each filter carries how well it is known:

* `OFFICIAL`: in BILL's own tables or published examples;
* `OBSERVED`: somebody reported having run it;
* `ASSUMED`: only third-party code, analogy or inference. `refuse_assumed` makes the emulator answer 400 to these.
"""

from __future__ import annotations

from dataclasses import dataclass

from bill_emulator.company.stored import DATE, FLAG, NUMBER, TEXT, TIME, Field
from bill_emulator.schemas import type_at

OFFICIAL = "official"
OBSERVED = "observed"
ASSUMED = "assumed"

_KINDS = {"boolean": FLAG, "date-time": TIME, "date": DATE, "number": NUMBER, "integer": NUMBER}

# The operators of a field: those of its kind, or those that its name is followed by.
_OF_KIND = {FLAG: "is", TIME: "range", DATE: "range", NUMBER: "range", TEXT: "member"}
_OPERATORS = {
    "is": ("eq", "ne"),
    "member": ("eq", "ne", "in"),
    "enum": ("eq", "ne", "in", "nin"),
    "some": ("eq", "in"),
    "start": ("eq", "sw"),
    "range": ("gt", "gte", "lt", "lte"),
}

# Filter names whose value sits elsewhere in the row.
_PATHS = {("customers", "address.country"): "billingAddress.country"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filterable field, its operators, and how well that is known."""

    field: Field
    operators: frozenset[str]
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
    shape: str
    detail: str | None
    filters: dict[str, Filter]
    sorts: dict[str, Field]
    administrators_only: bool
    timed: bool


def _field(resource: str, name: str) -> Field:
    path = _PATHS.get((resource, name), name)
    return Field(name, _KINDS.get(type_at(resource, path) or "", TEXT), tuple(path.split(".")))


def _resource(  # noqa: PLR0913 -- one row of the table
    name: str,
    prefix: str,
    path: str = "",
    *,
    official: str = "",
    observed: str = "",
    assumed: str = "",
    sorts: str = "",
    shape: str = "list",
    detailed: bool = True,
    administrators_only: bool = False,
    timed: bool = True,
) -> Resource:
    """`official`, `observed` and `assumed` are fields to filter by; a field may be followed by its operators.

    The path is the name unless it is given.
    """
    path = path or f"/{name.replace('_', '-')}"
    terms = {OFFICIAL: official, OBSERVED: observed, ASSUMED: assumed}
    filters: dict[str, Filter] = {}
    for confidence, those in terms.items():
        for field, _, operators in (term.partition(":") for term in those.split()):
            found = _field(name, field)
            filters[field] = Filter(found, frozenset(_OPERATORS[operators or _OF_KIND[found.kind]]), confidence)
    return Resource(
        name,
        path,
        prefix,
        shape,
        path + "/{id}" if detailed and shape == "list" else None,
        filters,
        {field: _field(name, field) for field in sorts.split()},
        administrators_only,
        timed,
    )


def _classification(name: str, prefix: str, sorts: str = "name description") -> Resource:
    """The seven classifications share one filter table, of which only `id` is shown by BILL itself."""
    return _resource(
        name,
        prefix,
        f"/classifications/{name.replace('_', '-')}",
        official="id",
        assumed="archived name:start createdTime updatedTime",
        sorts=f"archived {sorts} createdTime updatedTime",
    )


_ORGANIZATION = "/organizations/{organizationId}"

_ALL = (
    _resource(
        "vendors",
        "009",
        official="id archived name:start accountType:enum address.country:is billCurrency:enum createdTime updatedTime",
        # The official table is shared with customers and does not say whose row this is; vendors have no such field.
        assumed="paymentStatus:enum",
        sorts="archived name shortName email phone billCurrency createdTime updatedTime",
    ),
    _resource(
        "bills",
        "00n",
        official="id archived vendorId:some dueDate paymentStatus payFromChartOfAccountId"
        " classifications.chartOfAccountId classifications.accountingClassId classifications.departmentId"
        " classifications.locationId classifications.itemId createdTime updatedTime",
        sorts="archived fundingAmount exchangeRate description dueDate createdTime updatedTime",
    ),
    _resource(
        "payments",
        "stp",
        official="id vendorId",
        assumed="processDate createdTime updatedTime",
        sorts="description processDate amount confirmationNumber onlinePayment createdTime updatedTime"
        " disbursementStatus",
    ),
    _resource(
        "vendor_credits",
        "vcr",
        assumed="id archived vendorId:some createdTime updatedTime",
        sorts="archived creditDate amount appliedAmount createdTime updatedTime",
    ),
    _resource("recurring_bills", "btp", "/recurringbills", official="id archived vendorId:some", sorts="archived"),
    _resource("bill_approval_policies", "apl", "/bill-approvals/policies", shape="array", timed=False),
    _resource(
        "customers",
        "0cu",
        official="id archived name:start accountType:enum invoiceCurrency:enum createdTime updatedTime",
        # See vendors: the shared official table does not say that these two rows belong to customers.
        assumed="address.country:is paymentStatus:enum",
        sorts="archived name companyName email phone fax description invoiceCurrency createdTime updatedTime",
    ),
    _resource(
        "invoices",
        "00e",
        official="id archived customerId:some payToChartOfAccountId classifications.accountingClassId"
        " classifications.departmentId classifications.locationId classifications.itemId createdTime updatedTime",
        sorts="archived invoiceNumber invoiceDate dueDate totalAmount createdTime updatedTime",
    ),
    _resource(
        "receivable_payments",
        "0rp",
        observed="updatedTime",
        assumed="id customerId:some createdTime",
        sorts="amount createdTime updatedTime",
    ),
    _resource(
        "credit_memos",
        "ccr",
        assumed="id archived customerId:some createdTime updatedTime",
        sorts="archived creditDate amount appliedAmount createdTime updatedTime",
    ),
    _resource("recurring_invoices", "rit", assumed="id archived customerId:some", sorts="archived"),
    _classification("accounting_classes", "cls"),
    _classification("chart_of_accounts", "0ca"),
    _classification("departments", "0de"),
    _classification("employees", "emp", "firstName lastName"),
    _classification("items", "0ii"),
    _classification("jobs", "job"),
    _classification("locations", "loc"),
    # Before bank_accounts, whose detail path would otherwise take "users" for an id.
    _resource(
        "bank_account_users",
        "bau",
        "/funding-accounts/banks/users",
        official="id",
        assumed="archived",
        sorts="archived",
        detailed=False,
    ),
    _resource(
        "bank_accounts",
        "bac",
        "/funding-accounts/banks",
        official="id archived status:enum type:is ownerType:is accessToAdmins createdTime updatedTime",
        sorts="archived nameOnAccount bankName accessToAdmins createdTime updatedTime",
    ),
    _resource(
        "users",
        "006",
        assumed="id archived createdTime updatedTime",
        sorts="archived firstName lastName createdTime updatedTime",
    ),
    _resource("roles", "0po", official="id", sorts="description createdTime updatedTime"),
    _resource("payment_terms", "00p", f"{_ORGANIZATION}/payment-terms"),
    _resource("organization", "008", _ORGANIZATION, shape="single", administrators_only=True),
)

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _ALL}
