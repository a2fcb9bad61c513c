"""Asks the marts of dbt_bill for the figures of the report. Amounts are decimals; no two currencies are added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg

MARTS = (
    "bill__ap_aging", "bill__approval_cycle", "bill__bills_enhanced", "bill__cash_forecast", "bill__loaded",
    "bill__spend_by_account", "bill__vendor_spend",
)  # fmt: skip
EXCEPTIONS = "bill__control_exceptions"
"""The one mart that the report can do without."""

AGES = ("Not due", "1-30 days late", "31-60 days late", "61-90 days late", "Over 90 days late")
MONTHS = 12
WEEKS = 9
"""Weeks of the cash forecast that stand alone; what is later is added up."""
ACCOUNTS = 8
VENDORS = 10
WAITING = 10
LISTED = 10
"""Exceptions of one control in one currency that are listed."""

DURATIONS = {"Within a day": 24, "1-3 days": 72, "3-7 days": 168, "1-2 weeks": 336, "2-4 weeks": 672, "Longer": None}
"""How approval times are grouped: fewer hours than these."""

ZERO = Decimal(0)


class ReportError(Exception):
    """The report cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Organization:
    """A company, and what was loaded of it: rows and the newest read of each table."""

    id: str
    name: str
    tables: list[tuple[str, int, datetime | None]]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(rows for _, rows, _ in self.tables)

    @property
    def last_read(self) -> datetime | None:
        """When the newest row was read from BILL, in UTC."""
        return max((time for _, _, time in self.tables if time), default=None)


@dataclass
class Position:
    """What one organization owes and spends in one currency."""

    organization: str
    currency: str | None
    open_bills: int = 0
    ages: list[Decimal] = field(default_factory=lambda: [ZERO] * len(AGES))
    under_way: Decimal = ZERO
    spent: Decimal = ZERO

    @property
    def owed(self) -> Decimal:
        """All that is open."""
        return sum(self.ages, ZERO)

    @property
    def overdue(self) -> Decimal:
        """What should have been paid by now."""
        return sum(self.ages[1:], ZERO)


@dataclass(frozen=True)
class Ranked:
    """The largest of many, by amount, and all others as one."""

    first: list[tuple[str, Decimal]]
    others: int
    rest: Decimal

    @property
    def total(self) -> Decimal:
        """All of them."""
        return sum((amount for _, amount in self.first), self.rest)


@dataclass(frozen=True)
class Spending:
    """What was spent in one currency: per account the amount of each month."""

    accounts: list[tuple[str, list[Decimal]]]

    @property
    def months(self) -> list[Decimal]:
        """All accounts together."""
        return [sum(amounts, ZERO) for amounts in zip(*(months for _, months in self.accounts), strict=True)]


@dataclass(frozen=True)
class Week:
    """What is to leave in a week: payments that are under way, and bills for which none is."""

    name: str
    scheduled: Decimal
    due: Decimal


@dataclass(frozen=True)
class Waiting:
    """A bill that somebody has to approve."""

    organization: str
    vendor: str
    invoice: str
    currency: str | None
    amount: Decimal | None
    due: date | None
    days: int


@dataclass(frozen=True)
class Approvals:
    """How long approval took, in hours, and what still waits."""

    durations: list[tuple[str, int]]
    median: int | None
    nine_of_ten: int | None
    by_month: list[int | None]
    waiting: int
    longest: list[Waiting]

    @property
    def approved(self) -> int:
        """Bills whose approval is behind them."""
        return sum(bills for _, bills in self.durations)


@dataclass(frozen=True)
class Control:
    """What one control found: all exceptions are counted, the largest in each currency listed."""

    title: str
    found: int
    exceptions: list[Mapping[str, Any]]


@dataclass(frozen=True)
class Figures:
    """All that the report shows."""

    as_of: date
    months: list[date]
    organizations: list[Organization]
    positions: list[Position]
    currencies: list[str | None]
    """The busiest first."""
    overdue_bills: int
    cash: dict[str | None, list[Week]]
    spending: dict[str | None, Spending]
    vendors: dict[str | None, Ranked]
    approvals: Approvals
    controls: list[Control] | None
    """None: the mart was not built."""

    def aging(self, currency: str | None) -> Position:
        """Return what all organizations owe in one currency."""
        whole = Position("", currency)
        for position in self.positions:
            if position.currency == currency:
                whole.open_bills += position.open_bills
                whole.ages = [one + other for one, other in zip(whole.ages, position.ages, strict=True)]
        return whole


class Marts:
    """The marts in one schema, of some organizations."""

    def __init__(self, database: psycopg.Connection, schema: str) -> None:
        self.database = database
        self.schema = schema
        self.parameters: dict[str, object] = {}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask one query, in which the parameters may be named."""
        return self.database.execute(query.encode(), self.parameters).fetchall()

    def open(self, chosen: Sequence[str]) -> list[Organization]:
        """Find the marts and the organizations.

        Raises:
            ReportError: if a mart or an organization is missing.
        """
        self.database.execute(sql.SQL("set search_path to {}").format(sql.Identifier(self.schema)))
        if missing := [name for name in MARTS if not self.has(name)]:
            raise ReportError(
                f"The schema {self.schema!r} of this database lacks {', '.join(missing)}. Build the marts first:"
                " `dbt build --project-dir dbt_bill` (see dbt_bill/README.md); or name their schema with --schema."
            )
        loaded = defaultdict(list)
        names = {}
        for organization, name, *table in self.rows(LOADED):
            loaded[organization].append(tuple(table))
            names[organization] = name or organization or "(no organization)"
        if unknown := [organization for organization in chosen if organization not in names]:
            raise ReportError(
                f"The marts hold no organization {', '.join(unknown)}; they hold: {', '.join(sorted(names)) or 'none'}."
            )
        self.parameters["organizations"] = list(chosen or names)
        return [
            Organization(each, names[each], loaded[each]) for each in sorted(chosen or names, key=names.__getitem__)
        ]

    def has(self, name: str) -> bool:
        """Tell whether a mart is there."""
        found = self.database.execute("select to_regclass(quote_ident(%s))", [name]).fetchone()
        return found is not None and found[0] is not None

    def day(self, wanted: date | None) -> date:
        """Return the day that the marts are reckoned on.

        Raises:
            ReportError: if they are not of one day, or not of the day that is wanted.
        """
        days = [day for (day,) in self.rows(DAYS)]
        if len(days) > 1 or (days and wanted and days != [wanted]):
            asked = f", not {wanted}" if wanted else ""
            raise ReportError(
                f"The marts are reckoned on {' and '.join(map(str, days))}{asked}. Build them all for one day:"
                " `dbt build --project-dir dbt_bill --vars 'bill_as_of: YYYY-MM-DD'`."
            )
        return days[0] if days else wanted or datetime.now().astimezone().date()


LOADED = """
    select coalesce(organization_id, ''), organization_name, table_name, row_count, last_read_time
    from bill__loaded order by 1, table_name
"""

DAYS = """
    select as_of_date from bill__ap_aging union select as_of_date from bill__cash_forecast order by 1
"""

CURRENCIES = """
    select currency from bill__bills_enhanced
    where is_live and coalesce(organization_id, '') = any(%(organizations)s)
    group by currency order by count(*) desc, currency
"""

AGING = """
    select
        coalesce(organization_id, ''), currency, sum(open_bills),
        sum(not_due_amount), sum(days_1_to_30_amount), sum(days_31_to_60_amount), sum(days_61_to_90_amount),
        sum(over_90_days_amount)
    from bill__ap_aging where coalesce(organization_id, '') = any(%(organizations)s)
    group by 1, 2
"""

CASH = """
    select coalesce(organization_id, ''), currency, week, scheduled_out_amount, due_out_amount
    from bill__cash_forecast
    where coalesce(organization_id, '') = any(%(organizations)s)
        and (scheduled_out_amount <> 0 or due_out_amount <> 0)
"""

OVERDUE = """
    select currency, count(*), sum(due_amount - coalesce(scheduled_amount, 0))
    from bill__bills_enhanced
    where is_open and days_late > 0 and coalesce(organization_id, '') = any(%(organizations)s)
    group by currency
"""

SPEND = """
    select coalesce(organization_id, ''), currency, month, account_number, account_name, sum(amount)
    from bill__spend_by_account
    where month between %(first_month)s and %(last_month)s and coalesce(organization_id, '') = any(%(organizations)s)
    group by 1, 2, 3, 4, 5
"""

VENDOR_SPEND = """
    select currency, coalesce(max(vendor_name), vendor_id, 'No vendor'), sum(net_spend_amount)
    from bill__vendor_spend
    where month between %(first_month)s and %(last_month)s and coalesce(organization_id, '') = any(%(organizations)s)
    group by currency, organization_id, vendor_id
    having sum(net_spend_amount) <> 0
"""

HOURS = """
    select date_trunc('month', last_decision_time)::date, hours_to_approval, count(*)
    from bill__approval_cycle
    where hours_to_approval is not null and coalesce(organization_id, '') = any(%(organizations)s)
        and date_trunc('month', last_decision_time) between %(first_month)s and %(last_month)s
    group by 1, 2
"""

WAIT = """
    select
        coalesce(organization_id, ''), coalesce(vendor_name, vendor_id, ''), coalesce(invoice_number, ''), currency,
        amount, due_date, days_waiting
    from bill__approval_cycle
    where days_waiting is not null and coalesce(organization_id, '') = any(%(organizations)s)
    order by days_waiting desc, amount desc nulls last, bill_id
"""

FOUND = """
    select
        control, title, coalesce(organization_id, '') as organization, currency, amount, vendor_name, record_table,
        record_id, record_date, reason, count(*) over (partition by control) as found,
        row_number() over (
            partition by control, currency order by abs(amount) desc nulls last, record_date, record_id
        ) as place
    from bill__control_exceptions where coalesce(organization_id, '') = any(%(organizations)s)
    order by control, currency nulls last, place
"""


def ask(database: psycopg.Connection, schema: str, organizations: Sequence[str], wanted: date | None) -> Figures:
    """Ask the marts for everything.

    Args:
        database: where they are.
        schema: the schema that they are in.
        organizations: the ids of those to report on; none: all.
        wanted: the day that the marts have to be reckoned on; None: whichever it is.

    Raises:
        ReportError: if the marts are not there, or of another day.
    """
    marts = Marts(database, schema)
    companies = marts.open(organizations)
    as_of = marts.day(wanted)
    months = _months(as_of)
    marts.parameters |= {"first_month": months[0], "last_month": months[-1]}
    spend = marts.rows(SPEND)
    cash = marts.rows(CASH)
    overdue = marts.rows(OVERDUE)
    positions = _positions(marts.rows(AGING), cash, spend)
    busiest = [currency for (currency,) in marts.rows(CURRENCIES)]
    vendors = marts.rows(VENDOR_SPEND)
    every = {*(position.currency for position in positions), *(currency for currency, *_ in vendors)}
    order = [each for each in busiest if each in every] + sorted(every - {*busiest}, key=lambda code: code or "")
    names = {company.id: place for place, company in enumerate(companies)}
    return Figures(
        as_of=as_of,
        months=months,
        organizations=companies,
        positions=sorted(positions, key=lambda each: (names[each.organization], order.index(each.currency))),
        currencies=order,
        overdue_bills=sum(bills for _, bills, _ in overdue),
        cash=_cash(cash, {currency: amount for currency, _, amount in overdue}, as_of),
        spending=_spending(spend, months),
        vendors=_vendors(vendors),
        approvals=_approvals(marts, months),
        controls=_controls(marts) if marts.has(EXCEPTIONS) else None,
    )


def _months(as_of: date) -> list[date]:
    """Return the first days of the months up to this one."""
    last = as_of.year * 12 + as_of.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(last - MONTHS + 1, last + 1)]


def _positions(
    aging: Iterable[tuple[Any, ...]], cash: Iterable[tuple[Any, ...]], spend: Iterable[tuple[Any, ...]]
) -> list[Position]:
    found: dict[tuple[str, str | None], Position] = {}

    def position(organization: str, currency: str | None) -> Position:
        return found.setdefault((organization, currency), Position(organization, currency))

    for organization, currency, bills, *ages in aging:
        here = position(organization, currency)
        here.open_bills, here.ages = int(bills), ages
    for organization, currency, _, scheduled, _ in cash:
        position(organization, currency).under_way += scheduled
    for organization, currency, *_, amount in spend:
        position(organization, currency).spent += amount
    return list(found.values())


def _cash(
    rows: Iterable[tuple[Any, ...]], overdue: Mapping[str | None, Decimal], as_of: date
) -> dict[str | None, list[Week]]:
    """Tell what is overdue, which the mart counts in the present week, from what is due in that week."""
    this_week = as_of - timedelta(days=as_of.weekday())
    sums: dict[str | None, dict[int, list[Decimal]]] = {}
    for _, currency, week, *amounts in rows:
        place = min((week - this_week).days // 7, WEEKS)
        weeks = sums.setdefault(currency, {})
        weeks[place] = [one + other for one, other in zip(weeks.get(place, [ZERO, ZERO]), amounts, strict=True)]
    listed = {}
    for currency, weeks in sums.items():
        late = overdue.get(currency, ZERO)
        listed[currency] = [Week("Overdue", ZERO, late)]
        for place in range(max(weeks) + 1):
            scheduled, due = weeks.get(place, [ZERO, ZERO])
            day = this_week + timedelta(weeks=place)
            name = {0: "This week", WEEKS: "Later"}.get(place, f"{day.day} {day:%b}")
            listed[currency].append(Week(name, scheduled, due - (late if place == 0 else ZERO)))
    return listed


def _spending(rows: Iterable[tuple[Any, ...]], months: list[date]) -> dict[str | None, Spending]:
    sums: dict[str | None, dict[str, list[Decimal]]] = {}
    for _, currency, month, number, name, amount in rows:
        account = " ".join(part for part in (number, name) if part) or "No account"
        of_month = sums.setdefault(currency, {}).setdefault(account, [ZERO] * len(months))
        of_month[months.index(month)] += amount
    return {currency: Spending(_largest(accounts)) for currency, accounts in sums.items()}


def _largest(accounts: Mapping[str, list[Decimal]]) -> list[tuple[str, list[Decimal]]]:
    ranked = sorted(accounts.items(), key=lambda item: (-sum(item[1]), item[0]))
    if len(ranked) <= ACCOUNTS + 1:
        return ranked
    others = [sum(amounts, ZERO) for amounts in zip(*(months for _, months in ranked[ACCOUNTS:]), strict=True)]
    return [*ranked[:ACCOUNTS], (f"{len(ranked) - ACCOUNTS} others", others)]


def _vendors(rows: Iterable[tuple[Any, ...]]) -> dict[str | None, Ranked]:
    found = defaultdict(list)
    for currency, name, amount in rows:
        found[currency].append((name, amount))
    ranked = {}
    for currency, vendors in found.items():
        vendors.sort(key=lambda vendor: (-vendor[1], vendor[0]))
        rest = vendors[VENDORS:]
        ranked[currency] = Ranked(vendors[:VENDORS], len(rest), sum((amount for _, amount in rest), ZERO))
    return ranked


def _approvals(marts: Marts, months: list[date]) -> Approvals:
    hours: dict[date, Counter[int]] = defaultdict(Counter)
    for month, hour, bills in marts.rows(HOURS):
        hours[month][hour] += bills
    everything = sum(hours.values(), Counter[int]())
    durations = []
    least = None
    for name, most in DURATIONS.items():
        within = [n for h, n in everything.items() if (least is None or h >= least) and (most is None or h < most)]
        durations.append((name, sum(within)))
        least = most
    waiting = marts.rows(WAIT)
    return Approvals(
        durations=durations,
        median=_percentile(everything, 50),
        nine_of_ten=_percentile(everything, 90),
        by_month=[_percentile(hours[month], 50) for month in months],
        waiting=len(waiting),
        longest=[Waiting(*row) for row in waiting[:WAITING]],
    )


def _percentile(hours: Counter[int], percent: int) -> int | None:
    """Return the smallest number of hours within which at least so many per cent were done."""
    needed, so_far = hours.total() * percent, 0
    for hour in sorted(hours):
        so_far += hours[hour]
        if so_far * 100 >= needed:
            return hour
    return None


def _controls(marts: Marts) -> list[Control]:
    cursor = marts.database.execute(FOUND.encode(), marts.parameters)
    names = [column.name for column in cursor.description or []]
    controls: dict[str, Control] = {}
    for row in cursor:
        exception = dict(zip(names, row, strict=True))
        control = controls.setdefault(exception["control"], Control(exception["title"], exception["found"], []))
        if exception["place"] <= LISTED:
            control.exceptions.append(exception)
    return list(controls.values())
