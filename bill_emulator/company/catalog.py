"""What the company buys and sells, and the ledger accounts that it is coded to."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Account(NamedTuple):
    """One account of the chart; `parent` is an account's number."""

    number: str
    name: str
    type: str
    description: str | None = None
    parent: str | None = None
    archived: bool = False


ACCOUNTS = (
    Account("1000", "Operating account", "BANK", "Checking"),
    Account("1010", "Reserve", "BANK"),
    Account("1200", "Accounts receivable", "ACCOUNTS_RECEIVABLE"),
    Account("1300", "Inventory", "OTHER_CURRENT_ASSET", "Lamps, gravel and fabrics for sale"),
    Account("1500", "Équipement", "FIXED_ASSET", "Machines"),
    Account("2000", "Accounts payable", "ACCOUNTS_PAYABLE"),
    Account("2100", "Company cards", "CREDIT_CARD"),
    Account("2200", "Sales tax payable", "OTHER_CURRENT_LIABILITY"),
    Account("2700", "Bank loan", "LONG_TERM_LIABILITY"),
    Account("3000", "Owner's equity", "EQUITY"),
    Account("4000", "Consulting income", "INCOME"),
    Account("4010", "Sales of goods", "INCOME"),
    Account("4020", "Discounts given", "INCOME"),
    Account("5000", "Cost of goods sold", "COST_OF_GOODS_SOLD"),
    Account("5100", "Freight in", "COST_OF_GOODS_SOLD", None, "5000"),
    Account("6100", "Office supplies", "EXPENSE", "Paper, pens, toner"),
    Account("6110", "Printed matter", "EXPENSE", None, "6100"),
    Account("6200", "Travel", "EXPENSE"),
    Account("6300", "Meals", "EXPENSE", "Catering and coffee"),
    Account("6400", "Cleaning and garden", "EXPENSE"),
    Account("6500", "Repairs", "EXPENSE"),
    Account("6600", "Telephone and internet", "EXPENSE"),
    Account("8000", "Interest earned", "OTHER_INCOME"),
    Account("8100", "Bank fees", "OTHER_EXPENSE"),
    Account("9999", "Suspense", "UNSPECIFIED", None, None, archived=True),
)


class Trade(NamedTuple):
    """What vendors of one kind sell: the account of their bills, the range of a price in cents, and the goods."""

    account: str
    low: int
    high: int
    goods: tuple[str, ...]


_PAPER = Trade("6100", 600, 18_000, ("Letterhead and envelopes", "Copy paper, 5 boxes", "Path C:\\templates\\2026"))
_PRINT = Trade("6110", 4_000, 90_000, ("名刺の印刷", "Spring catalogue", "Zażółć gęślą jaźń"))
_FOOD = Trade("6300", 2_500, 65_000, ("Team lunch 🥟", "Coffee beans\n2 kg each", "Buffet for the open day"))
_CLEANING = Trade("6400", 15_000, 120_000, ("Monthly cleaning", "Windows, both floors", "Hedges and lawn"))
_REPAIRS = Trade("6500", 8_000, 160_000, ("Wiring of the second floor", "Boiler service", "Locks and hinges"))
_TELECOM = Trade("6600", 3_900, 48_000, ("Internet line", "Mobile phones", "Ñandú phone system"))
_FREIGHT = Trade("5100", 9_000, 140_000, ("Freight, two pallets", "Customs clearance", "Express to Łódź"))
_GOODS = Trade("1300", 1_100, 40_000, ('Desk lamp, model "Firefly"', "Gravel, 0-16 mm", "Linen, by the metre"))
_MACHINES = Trade("1500", 90_000, 900_000, ("Packing machine", "Pallet truck"))


def trade_of(vendor: int) -> Trade:
    """What a vendor sells; it goes with the vendor's name."""
    return _TRADES[vendor % len(_TRADES)]


# In the order of `names.VENDORS`.
_TRADES = (
    *(_PAPER, _GOODS, _REPAIRS, _FOOD, _CLEANING, _FOOD, _PAPER, _GOODS),
    *(_MACHINES, _FOOD, _TELECOM, _PRINT, _CLEANING, _FREIGHT, _REPAIRS, _FREIGHT),
)


class Item(NamedTuple):
    """Something that is sold; `parent` is an item's place, `most` how many (hours, pieces) an invoice line has."""

    type: str
    name: str
    account: str
    price: Decimal | None = None
    short_name: str | None = None
    description: str | None = None
    parent: int | None = None
    cost: Decimal | None = None
    percentage: Decimal | None = None
    taxable: bool = False
    archived: bool = False
    most: int = 0


ITEMS = (
    Item("SERVICE", "Consulting hour", "4000", Decimal("250.00"), "CONS", "One hour", most=24),
    Item("SERVICE", "Consulting hour, night", "4000", Decimal("375.50"), parent=0, most=6),
    Item("SERVICE", "Training day 📚", "4000", Decimal("1450.00"), most=3),
    Item("SERVICE", "設計レビュー", "4000", Decimal("820.00"), most=2),
    Item("INVENTORY", "Desk lamp", "4010", Decimal("39.90"), "LAMP", "Brass", None, Decimal("18.10"), most=60),
    Item("NON_INVENTORY", "Gravel, ton", "4010", Decimal("18.50"), cost=Decimal("11.00"), taxable=True, most=90),
    Item("SERVICE", "Übersetzung", "4000", Decimal("64.00"), "UEB", "Per page", most=40),
    Item("SALES_TAX", "Sales tax 8.25 %", "2200", percentage=Decimal("8.25")),
    Item("SALES_TAX", "Sales tax 6 %", "2200", percentage=Decimal("6.00")),
    Item("DISCOUNT", "Early bird", "4020", percentage=Decimal("2.5")),
    Item("OTHER_CHARGE", "Fax service", "4000", Decimal("5.00"), archived=True),
)

SOLD = [place for place, item in enumerate(ITEMS) if item.most]
"""The places of the items that invoices sell."""

TAX_ITEMS = {825: 7, 600: 8}
"""The places of the items of the sales tax, by hundredths of a percent."""
