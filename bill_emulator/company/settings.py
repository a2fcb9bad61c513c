# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""Rows of the settings: organization, users, roles, payment terms, bank accounts, classifications, policies.

Their number does not depend on the size of the company. Each maker answers (row, created, updated) in serial order;
moments are microseconds since 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bill_emulator.company.catalog import ACCOUNTS, ITEMS
from bill_emulator.company.ids import make_id
from bill_emulator.company.ledger import CLOSED, FOUNDED
from bill_emulator.company.names import PEOPLE, PLACES
from bill_emulator.resources import RESOURCES
from bill_emulator.times import calendar_day, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bill_emulator.company.catalog import Account, Item
    from bill_emulator.company.ledger import Party
    from bill_emulator.company.stored import Row

Timed = tuple[dict[str, Any], int, int]


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
_TERMS = (("Due upon receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 45", 45), ("60 Tage", 60))
# status, type, owner type, bank, open to administrators, archived, account
_BANKS = (
    ("VERIFIED", "CHECKING", "BUSINESS", "Example Bank", True, False, "1000"),
    ("VERIFIED", "SAVINGS", "BUSINESS", "Crédit Exemple", False, False, "1010"),
    ("PENDING", "CHECKING", "PERSONAL", "Example Savings", False, True, None),
    ("NOT_VERIFIED", "CHECKING", "BUSINESS", "Example Bank", True, False, None),
)

# Who does what, by place among the people: enters bills and invoices, pays, approves.
_CLERKS, _PAYERS, _APPROVERS = (1, 4), (3, 0), (2, 0, 7)

_TREES = {"accounting_classes": _CLASSES, "departments": _DEPARTMENTS, "jobs": _JOBS, "locations": _LOCATIONS}
_COUNTS = {
    "users": len(PEOPLE),
    "roles": len(ROLE_TYPES),
    "payment_terms": len(_TERMS),
    "bank_accounts": len(_BANKS),
    "bank_account_users": 5,
    "bill_approval_policies": 3,
    "employees": 5,
    "items": len(ITEMS),
    "chart_of_accounts": len(ACCOUNTS),
    **{name: len(leaves) for name, leaves in _TREES.items()},
}


class Settings:
    """Makes the rows of the settings and knows their ids, for other rows to refer to."""

    def __init__(self, seed: int, organization_id: str) -> None:
        self.seed = seed
        self.organization_id = organization_id
        self.ids: dict[str, list[str]] = {
            name: [make_id(RESOURCES[name].prefix, seed, serial) for serial in range(count)]
            for name, count in _COUNTS.items()
        }

    def ref(self, resource: str, index: int) -> str:
        """The id of a settings row, counting round and round."""
        ids = self.ids[resource]
        return ids[index % len(ids)]

    def account(self, number: str) -> str:
        """The id of the account with this number."""
        return self.ids["chart_of_accounts"][_PLACES[number]]

    def item(self, place: int) -> str:
        """The id of an item."""
        return self.ids["items"][place]

    def live(self, resource: str, index: int) -> str:
        """The id of a classification that is not archived, counting round and round."""
        return self.ref(resource, _LIVE[resource][index % len(_LIVE[resource])])

    def coding(self, index: int, party: Party) -> Row:
        """Where a line belongs besides its account or item; every third line says nothing of that."""
        if index % 3 == 1:
            return {}
        return lean(
            accountingClassId=self.live("accounting_classes", party.serial),
            departmentId=self.live("departments", party.serial),
            jobId=self.live("jobs", index // 6) if index % 2 else None,
            locationId=self.live("locations", index // 3),
        )

    def due_day(self, created: int, term: int | None) -> str:
        """When something is due that has this payment term, or none."""
        return calendar_day(created, 30 if term is None else _TERMS[term % len(_TERMS)][1])

    def clerk(self, index: int) -> str:
        """Who entered a record."""
        return self.ids["users"][_CLERKS[index % len(_CLERKS)]]

    def payer(self, index: int) -> str:
        """Who sent a payment."""
        return self.ids["users"][_PAYERS[index % len(_PAYERS)]]

    def approver(self, index: int) -> str:
        """Who approves a bill; never who entered it."""
        return self.ids["users"][_APPROVERS[index % len(_APPROVERS)]]

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
            **{name: self._tree(name, leaves) for name, leaves in _TREES.items()},
            "employees": [self._employee(i) for i in range(5)],
            "items": [self._item(item) for item in ITEMS],
            "chart_of_accounts": [self._account(account) for account in ACCOUNTS],
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
            chartOfAccountId=None if account is None else self.account(account),
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
                "rules": [rule("CHART_OF_ACCOUNT_ID", self.account("5100"), "Freight in")],
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

    def _item(self, item: Item) -> Row:
        return lean(
            type=item.type,
            shortName=item.short_name,
            name=item.name,
            description=item.description,
            archived=item.archived,
            parentId=None if item.parent is None else self.item(item.parent),
            price=item.price,
            expenseChartOfAccountId=None if item.cost is None else self.account("5000"),
            purchaseDescription=None if item.cost is None else f"{item.name} (bought)",
            purchaseCost=item.cost,
            chartOfAccountId=self.account(item.account),
            taxable=item.taxable,
            percentage=item.percentage,
        )

    def _account(self, account: Account) -> Row:
        return lean(
            archived=account.archived,
            name=account.name,
            description=account.description,
            parentId=None if account.parent is None else self.account(account.parent),
            account={"type": account.type, "number": account.number},
        )


_PLACES = {account.number: place for place, account in enumerate(ACCOUNTS)}
_LIVE = {name: [place for place, leaf in enumerate(leaves) if not leaf[-1]] for name, leaves in _TREES.items()}
"""The places of those that are not archived."""
