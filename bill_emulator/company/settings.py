# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""Rows of the settings: organization, users, roles, payment terms, bank accounts, classifications, policies.

Their number does not depend on the size of the company.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bill_emulator.company.catalog import ACCOUNTS, ITEMS
from bill_emulator.company.ids import make_id
from bill_emulator.company.ledger import CLOSED, FOUNDED
from bill_emulator.company.names import PEOPLE, PLACES
from bill_emulator.company.stored import Stored
from bill_emulator.resources import RESOURCES
from bill_emulator.times import HOUR, calendar_day, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.ledger import Party
    from bill_emulator.company.stored import Row

_AGAIN: dict[str, Callable[[Any, int], Any]] = {
    **dict.fromkeys(("name", "policyName", "lastName", "shortName"), lambda value, n: f"{value} {n}"),
    "email": lambda value, n: value.replace("@", f".{n}@"),
    "account": lambda value, n: value | {"number": f"{value['number']}-{n}"},
}
"""How the examples come again when more rows are made: under other names."""

_LAST_AGAIN = ("roles", "bank_accounts")
"""Where only the last example comes again: there is one role of each type but CUSTOM, and one account by default."""


def lean(**fields: Any) -> Row:
    """A row without the fields that have no value (BILL leaves unpopulated fields out: observed)."""
    return {name: value for name, value in fields.items() if value is not None}


def address(index: int) -> Row:
    """An address; a place without a second line or a state has no such field."""
    return lean(**dict(zip(_ADDRESS, PLACES[index % len(PLACES)], strict=True)))


_ADDRESS = ("line1", "line2", "city", "stateOrProvince", "zipOrPostalCode", "country", "countryName")
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

# By place among the people; who approves a bill never entered it.
_TASKS = {"enter": (1, 4), "pay": (3, 0), "approve": (2, 0, 7)}

_TREES = {"accounting_classes": _CLASSES, "departments": _DEPARTMENTS, "jobs": _JOBS, "locations": _LOCATIONS}


class Settings:
    """Makes the rows of the settings and knows their ids, for other rows to refer to."""

    def __init__(self, seed: int, organization_id: str) -> None:
        self.seed = seed
        self.organization_id = organization_id
        self._makers: dict[str, tuple[Callable[[int], Row], int]] = {
            "organization": (self._organization, 1),
            "users": (self._user, len(PEOPLE)),
            "roles": (self._role, len(ROLE_TYPES)),
            "payment_terms": (lambda i: dict(zip(("name", "daysDue"), _TERMS[i], strict=True)), len(_TERMS)),
            "bank_accounts": (self._bank, len(_BANKS)),
            "bank_account_users": (self._bank_user, 5),
            "bill_approval_policies": (self._policy, 3),
            **{name: (partial(self._leaf, name), len(leaves)) for name, leaves in _TREES.items()},
            "employees": (self._employee, 5),
            "items": (self._item, len(ITEMS)),
            "chart_of_accounts": (self._account, len(ACCOUNTS)),
        }
        self.ids: dict[str, list[str]] = {
            name: [make_id(RESOURCES[name].prefix, seed, serial) for serial in range(count)]
            for name, (_, count) in self._makers.items()
        }

    def ref(self, resource: str, index: int) -> str:
        """The id of a settings row, counting round and round."""
        ids = self.ids[resource]
        return ids[index % len(ids)]

    def account(self, number: str) -> str:
        """The id of the account with this number."""
        return self.ids["chart_of_accounts"][_PLACES[number]]

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

    def person(self, task: str, index: int) -> str:
        """Who does this, taking turns."""
        return self.ids["users"][_TASKS[task][index % len(_TASKS[task])]]

    def row(self, name: str, serial: int) -> Row:
        """One row without times; when the examples are used up, they come again under other names."""
        make, count = self._makers[name]
        again, place = divmod(serial, count)
        row = make(count - 1 if again and name in _LAST_AGAIN else place)
        return row | {field: _AGAIN[field](row[field], again + 1) for field in _AGAIN if again and field in row}

    def all(self) -> dict[str, list[Stored]]:
        """Every settings row of every resource, in serial order."""
        return {
            name: [self._stored(name, serial, FOUNDED + hour * HOUR) for serial in range(count)]
            for hour, (name, (_, count)) in enumerate(self._makers.items())
        }

    def _stored(self, name: str, serial: int, began: int) -> Stored:
        created = began + serial * 61_000_250
        updated = created if serial % 2 == 0 else created + (CLOSED - created) // (serial + 2)
        row = {"id": self.ids[name][serial], **self.row(name, serial)}
        if not RESOURCES[name].timed:
            return Stored.of(row, None, None)
        return Stored.of(row | {"createdTime": shown(created), "updatedTime": shown(updated)}, created, updated)

    def _organization(self, _: int) -> Row:
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

    def _policy(self, i: int) -> Row:
        name, status, rule, groups = (
            ("Over 500", "ACTIVE", ("BILL_AMOUNT", "500", "500"), False),
            ("Freight", "ACTIVE", ("CHART_OF_ACCOUNT_ID", self.account("5100"), "Freight in"), True),
            ("Everything", "INACTIVE", None, False),
        )[i]
        names = [{"id": self.ref("users", n), "fullName": " ".join(PEOPLE[n])} for n in range(3)]
        group = {"groupName": "Directors", "groupId": "grp02EXAMPLE00000001", "users": names[1:]}
        single = {"userId": names[0]["id"], "fullName": names[0]["fullName"]}
        rules = [] if rule is None else [rule]
        return {
            "policyName": name,
            "status": status,
            "rules": [
                {"key": key, "op": "gte", "values": [{"value": value, "displayName": label}]}
                for key, value, label in rules
            ],
            "approvers": {"users": [] if groups else [single], "groups": [group] if groups else []},
        }

    def _leaf(self, name: str, i: int) -> Row:
        label, short, text, parent, archived = _TREES[name][i]
        return lean(
            name=label,
            shortName=short,
            description=text,
            parentId=None if parent is None else self.ref(name, parent),
            archived=archived,
        )

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
        item = ITEMS[i]
        return lean(
            type=item.type,
            shortName=item.short_name,
            name=item.name,
            description=item.description,
            archived=item.archived,
            parentId=None if item.parent is None else self.ref("items", item.parent),
            price=item.price,
            expenseChartOfAccountId=None if item.cost is None else self.account("5000"),
            purchaseDescription=None if item.cost is None else f"{item.name} (bought)",
            purchaseCost=item.cost,
            chartOfAccountId=self.account(item.account),
            taxable=item.taxable,
            percentage=item.percentage,
        )

    def _account(self, i: int) -> Row:
        account = ACCOUNTS[i]
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
