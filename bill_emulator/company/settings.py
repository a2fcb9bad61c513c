# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""Rows of the settings: organization, users, roles, payment terms, bank accounts, classifications, policies.

Their number does not depend on the size of the company. Each maker answers (row, created, updated) in serial order;
moments are microseconds since 1970.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.company.ids import make_id
from bill_emulator.company.ledger import CLOSED, FOUNDED
from bill_emulator.company.names import PEOPLE, PLACES
from bill_emulator.times import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
Timed = tuple[Row, int, int]


def lean(**fields: Any) -> Row:
    """A row without the fields that have no value (BILL leaves unpopulated fields out: observed)."""
    return {name: value for name, value in fields.items() if value is not None}


def address(index: int) -> Row:
    """An address; a place without a second line or a state has no such field."""
    line1, line2, city, state, code, country, country_name = PLACES[index % len(PLACES)]
    return lean(
        line1=line1,
        line2=line2,
        city=city,
        stateOrProvince=state,
        zipOrPostalCode=code,
        country=country,
        countryName=country_name,
    )


ROLE_TYPES = ("ADMINISTRATOR", "ACCOUNTANT", "APPROVER", "PAYER", "CLERK", "AUDITOR", "MEMBER", "CUSTOM")

# name, short name, description, serial of the parent, archived
_Leaf = tuple[str, str | None, str | None, int | None, bool]

_CLASSES: tuple[_Leaf, ...] = (
    ("Retail", "RET", "Shops and web shop", None, False),
    ("Wholesale", "WHO", None, None, False),
    ("Export", None, "Sales abroad — žádné clo", 1, False),
    ("Grants", None, None, None, True),
)
_DEPARTMENTS: tuple[_Leaf, ...] = (
    ("Operations", "OPS", "Keeps things running", None, False),
    ("Sales", "SAL", None, None, False),
    ("Field sales", None, "On the road", 1, False),
    ("Entwicklung & Prüfung", "R&D", None, None, False),
    ("Mail room", None, None, 0, True),
)
_JOBS: tuple[_Leaf, ...] = (
    ("Roof repair", "ROOF", "South wing", None, False),
    ("Roof repair, phase 2", None, None, 0, False),
    ("New shop in Łódź", "LDZ", None, None, False),
    ("Old warehouse", None, "Given up", None, True),
)
_LOCATIONS: tuple[_Leaf, ...] = (
    ("Denver", "DEN", "Head office", None, False),
    ("Denver, annex", None, None, 0, False),
    ("東京支店", "TYO", None, None, False),
    ("Reno", None, None, None, True),
)
# name, description, serial of the parent, type, number, archived
_ACCOUNTS = (
    ("Office supplies", "Paper, pens, toner", None, "EXPENSE", "6100", False),
    ("Printed matter", None, 0, "EXPENSE", "6110", False),
    ("Travel", None, None, "EXPENSE", "6200", False),
    ("Freight in", None, None, "COST_OF_GOODS_SOLD", "5100", False),
    ("Operating account", "Checking", None, "BANK", "1000", False),
    ("Accounts payable", None, None, "ACCOUNTS_PAYABLE", "2000", False),
    ("Accounts receivable", None, None, "ACCOUNTS_RECEIVABLE", "1200", False),
    ("Consulting income", None, None, "INCOME", "4000", False),
    ("Équipement", "Machines", None, "FIXED_ASSET", None, False),
    ("Suspense", None, None, "UNSPECIFIED", "9999", True),
)
# type, name, short name, description, parent, price, purchase cost, percentage, taxable, archived
_ITEMS = (
    ("SERVICE", "Consulting hour", "CONS", "One hour", None, "250.00", None, None, False, False),
    ("SERVICE", "Consulting hour, night", None, None, 0, "375.50", None, None, False, False),
    ("INVENTORY", "Desk lamp", "LAMP", "Brass", None, "39.90", "0.10", None, True, False),
    ("NON_INVENTORY", "Gravel, ton", None, None, None, "18.25", "11.00", None, True, False),
    ("SALES_TAX", "Sales tax 8.25 %", None, None, None, None, None, "8.25", False, False),
    ("DISCOUNT", "Early bird", None, None, None, None, None, "2.5", False, False),
    ("OTHER_CHARGE", "Fax service", None, None, None, "5.00", None, None, False, True),
)
_TERMS = (("Due upon receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 45", 45), ("60 Tage", 60))
# status, type, owner type, bank, open to administrators, archived, account
_BANKS = (
    ("VERIFIED", "CHECKING", "BUSINESS", "Example Bank", True, False, 4),
    ("VERIFIED", "SAVINGS", "BUSINESS", "Crédit Exemple", False, False, None),
    ("PENDING", "CHECKING", "PERSONAL", "Example Savings", False, True, None),
    ("NOT_VERIFIED", "CHECKING", "BUSINESS", "Example Bank", True, False, None),
)

SALES_TAX_ITEM = 4


class Setup:
    """Makes the rows of the settings and knows their ids, for other rows to refer to."""

    def __init__(self, seed: int, organization_id: str) -> None:
        self.seed = seed
        self.organization_id = organization_id
        counts: dict[str, tuple[str, int]] = {
            "users": ("006", len(PEOPLE)),
            "roles": ("0po", len(ROLE_TYPES)),
            "payment_terms": ("00p", len(_TERMS)),
            "bank_accounts": ("bac", len(_BANKS)),
            "bank_account_users": ("bau", 5),
            "bill_approval_policies": ("apl", 3),
            "accounting_classes": ("cls", len(_CLASSES)),
            "departments": ("0de", len(_DEPARTMENTS)),
            "jobs": ("job", len(_JOBS)),
            "locations": ("loc", len(_LOCATIONS)),
            "employees": ("emp", 5),
            "items": ("0ii", len(_ITEMS)),
            "chart_of_accounts": ("0ca", len(_ACCOUNTS)),
        }
        self.ids: dict[str, list[str]] = {
            name: [make_id(prefix, seed, serial) for serial in range(count)] for name, (prefix, count) in counts.items()
        }

    def ref(self, resource: str, index: int) -> str:
        """The id of a settings row, counting round and round."""
        ids = self.ids[resource]
        return ids[index % len(ids)]

    def line_classifications(self, index: int) -> Row:
        """The ids on a line; every third line has only the account."""
        account = {"chartOfAccountId": self.ref("chart_of_accounts", index)}
        if index % 3 == 1:
            return account
        return account | {
            "accountingClassId": self.ref("accounting_classes", index),
            "departmentId": self.ref("departments", index),
            "employeeId": self.ref("employees", index),
            "jobId": self.ref("jobs", index),
            "locationId": self.ref("locations", index),
            "itemId": self.ref("items", index),
        }

    def all(self) -> dict[str, list[Timed]]:
        """Every settings row of every resource."""
        made: dict[str, Iterable[Row]] = {
            "organization": [self._organization()],
            "users": [self._user(i) for i in range(len(PEOPLE))],
            "roles": [self._role(i) for i in range(len(ROLE_TYPES))],
            "payment_terms": [lean(name=name, daysDue=days) for name, days in _TERMS],
            "bank_accounts": [self._bank(i) for i in range(len(_BANKS))],
            "bank_account_users": [self._bank_user(i) for i in range(5)],
            "bill_approval_policies": self._policies(),
            "accounting_classes": self._tree("accounting_classes", _CLASSES),
            "departments": self._tree("departments", _DEPARTMENTS),
            "jobs": self._tree("jobs", _JOBS),
            "locations": self._tree("locations", _LOCATIONS),
            "employees": [self._employee(i) for i in range(5)],
            "items": [self._item(i) for i in range(len(_ITEMS))],
            "chart_of_accounts": [self._account(i) for i in range(len(_ACCOUNTS))],
        }
        answer: dict[str, list[Timed]] = {}
        for offset, (name, rows) in enumerate(made.items()):
            answer[name] = [self._timed(name, i, offset, row) for i, row in enumerate(rows)]
        return answer

    def _timed(self, name: str, serial: int, offset: int, row: Row) -> Timed:
        created = FOUNDED + offset * 3_600_000_000 + serial * 61_000_250
        updated = created if serial % 2 == 0 else created + (CLOSED - created) // (serial + 2)
        if "id" not in row:
            row = {"id": self.ids[name][serial], **row}
        if name != "bill_approval_policies":
            row |= {"createdTime": shown(created), "updatedTime": shown(updated)}
        return row, created, updated

    def _organization(self) -> Row:
        return {
            "id": self.organization_id,
            "archived": False,
            "name": "Example Garden & Café",
            "address": address(0),
            "mailingAddress": address(2),
            "phone": "303-555-0100",
            "companyOwner": {"name": "Noor Blake", "dateOfBirth": "1980-02-29"},
            "taxId": "00-0000000",
            "taxIdType": "EIN",
            "industry": "Garden supplies",
            "businessCategory": "LLC",
            "accountType": "BUSINESS",
            "processingOptions": {
                "mailingAddressSameAsPhysical": False,
                "individualTransferOut": False,
                "individualTransferIn": False,
            },
            "partnerName": "Example Partner",
        }

    def _user(self, i: int) -> Row:
        first, last = PEOPLE[i]
        role = lean(id=self.ids["roles"][i], type=ROLE_TYPES[i], description="Own role" if i == 7 else None)
        return lean(
            id=self.ids["users"][i],
            archived=i == 5,
            firstName=first,
            lastName=last,
            email=f"user{i}@garden.example",
            role=role,
        )

    def _role(self, i: int) -> Row:
        description = "Reads everything, pays nothing" if ROLE_TYPES[i] == "CUSTOM" else None
        return lean(type=ROLE_TYPES[i], description=description)

    def _bank(self, i: int) -> Row:
        status, kind, owner, bank, admins, archived, account = _BANKS[i]
        return lean(
            archived=archived,
            status=status,
            createdBy=self.ref("users", i),
            routingNumber="074000010",
            accountNumber=f"******{1234 + i}",
            nameOnAccount="Example Garden & Café",
            type=kind,
            ownerType=owner,
            bankName=bank,
            accessToAdmins=admins,
            default={"payables": i == 0, "receivables": i == 0},
            chartOfAccountId=None if account is None else self.ref("chart_of_accounts", account),
        )

    def _bank_user(self, i: int) -> Row:
        return lean(
            bankAccountId=self.ref("bank_accounts", i // 2),
            userId=self.ref("users", i),
            archived=i == 3,
            verificationStatus="NOMINATED" if i == 4 else "VERIFIED",
        )

    def _policies(self) -> list[Row]:
        def full_name(i: int) -> str:
            return " ".join(PEOPLE[i])

        def rule(key: str, value: str, label: str) -> Row:
            return {"key": key, "op": "gte", "values": [{"value": value, "displayName": label}]}

        group = {
            "groupName": "Directors",
            "groupId": "grp02EXAMPLE00000001",
            "users": [{"id": self.ref("users", i), "fullName": full_name(i)} for i in (1, 2)],
        }
        single = {"users": [{"userId": self.ref("users", 0), "fullName": full_name(0)}], "groups": []}
        return [
            {
                "policyName": "Over 500",
                "status": "ACTIVE",
                "rules": [rule("BILL_AMOUNT", "500", "500")],
                "approvers": single,
            },
            {
                "policyName": "Freight",
                "status": "ACTIVE",
                "rules": [rule("CHART_OF_ACCOUNT_ID", self.ref("chart_of_accounts", 3), "Freight in")],
                "approvers": {"users": [], "groups": [group]},
            },
            {"policyName": "Everything", "status": "INACTIVE", "rules": [], "approvers": single},
        ]

    def _tree(self, name: str, leaves: tuple[_Leaf, ...]) -> list[Row]:
        return [
            lean(
                name=label,
                shortName=short,
                description=text,
                parentId=None if parent is None else self.ref(name, parent),
                archived=archived,
            )
            for label, short, text, parent, archived in leaves
        ]

    def _employee(self, i: int) -> Row:
        first, last = PEOPLE[i + 1]
        return lean(
            firstName=first,
            lastName=last,
            shortName=f"E{i}" if i % 2 == 0 else None,
            parentId=self.ref("employees", 0) if i == 1 else None,
            archived=i == 4,
        )

    def _item(self, i: int) -> Row:
        kind, name, short, text, parent, price, cost, percentage, taxable, archived = _ITEMS[i]
        return lean(
            type=kind,
            shortName=short,
            name=name,
            description=text,
            archived=archived,
            parentId=None if parent is None else self.ref("items", parent),
            price=None if price is None else Decimal(price),
            expenseChartOfAccountId=None if cost is None else self.ref("chart_of_accounts", 3),
            purchaseDescription=None if cost is None else f"{name} (bought)",
            purchaseCost=None if cost is None else Decimal(cost),
            chartOfAccountId=self.ref("chart_of_accounts", 7),
            taxable=taxable,
            percentage=None if percentage is None else Decimal(percentage),
        )

    def _account(self, i: int) -> Row:
        name, text, parent, kind, number, archived = _ACCOUNTS[i]
        return lean(
            archived=archived,
            name=name,
            description=text,
            parentId=None if parent is None else self.ref("chart_of_accounts", parent),
            account=lean(type=kind, number=number),
        )
