# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""Customers, invoices, received payments, credit memos and recurring invoices, dressed as BILL rows.

Field names, nesting and types are documented. Assumed: an incoming payment which has not arrived yet is a received
payment with status SCHEDULED (the documented list of statuses has PAID and VOID and is not complete).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bill_emulator.company.catalog import ITEMS, SOLD, TAX_ITEMS
from bill_emulator.company.ids import line_id, make_id
from bill_emulator.company.ledger import CLOSED, Credit, Debt, Ledger, Line, Party, Payment, exchange_rate, money
from bill_emulator.company.names import CUSTOMERS, PEOPLE, picked
from bill_emulator.company.parts import PARTS
from bill_emulator.company.payables import credit_state, quantity, share_of
from bill_emulator.company.settings import Settings, address, lean
from bill_emulator.times import calendar_day, shown

if TYPE_CHECKING:
    from bill_emulator.company.stored import Row


class ReceivableRows:
    """Makes receivable rows from a ledger."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self.seed = ledger.seed
        self.side = ledger.receivable
        self.settings = settings

    def customer(self, party: Party) -> Row:
        """One customer."""
        i = party.serial
        name = picked(CUSTOMERS, i)
        first, last = PEOPLE[i % len(PEOPLE)]
        return lean(
            email=f"billing{i}@customer.example",
            name=name,
            id=party.id,
            archived=i % 9 == 5,
            companyName=f"{name} Ltd" if i % 2 else None,
            contact={"firstName": first, "lastName": last} if i % 3 else None,
            phone=f"608-555-{i % 10_000:04d}" if i % 2 == 0 else None,
            fax=f"608-555-9{i % 1_000:03d}" if i % 5 == 1 else None,
            description="Pays late, but pays ☕" if i % 4 == 2 else None,
            invoiceCurrency=party.currency,
            accountType="PERSON" if i % 6 == 5 else "BUSINESS",
            paymentTermId=self.settings.ref("payment_terms", i) if i % 2 else None,
            accountNumber=f"C-{i:05d}" if i % 3 == 0 else None,
            billingAddress=address(i),
            shippingAddress=address(i + 2) if i % 2 == 0 else None,
            balance={"amount": money(party.balance, party.currency)},
            createdTime=shown(party.created),
            updatedTime=shown(party.updated),
            hasBankAccount=bool(_accounts(party)),
            authorizedToCharge=bool(_accounts(party)) and i % 2 == 0,
        )

    def _header(self, i: int, party: Party) -> Row:
        return self.settings.coding(3 * i, party)

    def _classifications(self, index: int, party: Party, item: int) -> Row:
        """The ids on a line: always the item; the item's account stands there too, now and then."""
        account = self.settings.account(ITEMS[item].account) if index % 2 else None
        return lean(itemId=self.settings.item(item), chartOfAccountId=account, **self.settings.coding(index, party))

    def invoice(self, debt: Debt) -> Row:
        """One invoice with its lines and what was paid on it."""
        i, ref = debt.serial, self.settings.ref
        party = self.side.parties[debt.party]
        currency = party.currency
        taxed = debt.sheet.tax_rate > 0
        term = i if i % 3 == 1 else None
        return lean(
            id=debt.id,
            archived=debt.record_status != "ACTIVE",
            invoiceNumber=f"{1001 + i}",
            invoiceDate=calendar_day(debt.created),
            dueDate=self.settings.due_day(debt.created, term),
            customerId=party.id,
            totalAmount=money(debt.total, currency),
            dueAmount=money(debt.due, currency),
            scheduledAmount=money(debt.scheduled, currency),
            creditAmount=money(debt.credit, currency),
            status=invoice_status(debt),
            exchangeRate=exchange_rate(currency, i),
            createdTime=shown(debt.created),
            updatedTime=shown(debt.updated),
            invoiceLineItems=[self._invoice_line(debt, n, line, party) for n, line in enumerate(debt.sheet.lines)],
            payToChartOfAccountId=self.settings.account("1000") if i % 3 == 0 else None,
            payments=[share_of(self.side.payments[n], debt, currency, days=0) for n in debt.settled_by],
            classifications=self._header(i, party) if i % 2 else None,
            salesTaxItemId=self.settings.item(TAX_ITEMS[debt.sheet.tax_rate]) if taxed else None,
            salesTaxTotal=money(debt.sheet.tax, currency) if taxed else None,
            salesTaxPercentage=_percent(debt.sheet.tax_rate) if taxed else None,
            enableCardPayment=i % 5 == 0,
            convenienceFee={"percentage": Decimal("2.9")} if i % 5 == 0 else None,
            invoicePdfId=make_id("att", self.seed, i) if i % 2 == 0 else None,
            recordStatus=debt.record_status,
            createdBy=self.settings.clerk(i),
            paymentTermId=None if term is None else ref("payment_terms", term),
        )

    def _invoice_line(self, debt: Debt, n: int, line: Line, party: Party) -> Row:
        index = debt.serial + n
        return lean(
            id=line_id("invoiceLineItems", self.seed, debt.serial, n),
            description=ITEMS[line.what].name if index % 4 else None,
            price=money(line.price, party.currency),
            quantity=quantity(line),
            classifications=self._classifications(index, party, line.what),
        )

    def payment(self, payment: Payment) -> Row:
        """One received payment and how it is split over invoices."""
        i = payment.serial
        party = self.side.parties[payment.party]
        currency = party.currency
        day = payment.day(0)
        accounts = _accounts(party)
        online = bool(accounts) and i % 3 != 1
        return lean(
            amount=money(payment.amount, currency),
            id=payment.id,
            customerId=party.id,
            invoicePayments=[
                {
                    "invoiceId": self.side.debts[share.target].id,
                    "amount": money(share.amount, currency),
                    "paymentDate": day,
                }
                for share in payment.shares
            ],
            description=f"Thank you, {PEOPLE[i % len(PEOPLE)][0]}" if i % 4 == 1 else None,
            paymentDate=day,
            fundingAccount={"id": accounts[0]["id"], "type": "BANK_ACCOUNT"} if online else None,
            receivablesAccount={"id": self.settings.ref("bank_accounts", 0), "type": "BANK_ACCOUNT"}
            if online
            else None,
            unappliedAmount=money(payment.unapplied, currency),
            convenienceFeeAmount=money(290, currency) if online and i % 2 == 0 else None,
            receivablesType=("CREDIT_CARD", "WALLET")[i // 3 % 2] if online else None,
            status=payment.state,
            referenceNumber=None if online else f"CHK {300 + i}",
            onlinePayment=online,
            createdTime=shown(payment.created),
            updatedTime=shown(payment.updated),
        )

    def credit(self, credit: Credit) -> Row:
        """One credit memo, its lines and where it was used."""
        i, ref = credit.serial, self.settings.ref
        party = self.side.parties[credit.party]
        currency = party.currency
        taxed = credit.sheet.tax_rate > 0
        return lean(
            id=credit.id,
            customerId=party.id,
            referenceNumber=f"CM-{i:05d}",
            creditDate=calendar_day(credit.created),
            description="Goodwill ♥" if i % 3 == 0 else None,
            archived=credit.archived,
            salesTaxItemId=self.settings.item(TAX_ITEMS[credit.sheet.tax_rate]) if taxed else None,
            payToChartOfAccountId=self.settings.account("1000") if i % 2 == 0 else None,
            payToBankAccountId=ref("bank_accounts", 0) if i % 2 else None,
            amount=money(credit.total, currency),
            appliedAmount=money(credit.applied, currency),
            salesTaxTotal=money(credit.sheet.tax, currency) if taxed else None,
            salesTaxPercentage=_percent(credit.sheet.tax_rate) if taxed else None,
            status=credit_state(credit),
            createdTime=shown(credit.created),
            updatedTime=shown(credit.updated),
            creditMemoLineItems=[
                self._credit_line(credit, n, line, party) for n, line in enumerate(credit.sheet.lines)
            ],
            classifications=self._header(i // 2, party) if i % 3 == 1 else None,
            usage=[
                {"invoiceId": self.side.debts[debt].id, "amount": money(amount, currency)}
                for debt, _, amount in credit.usage
            ],
        )

    def _credit_line(self, credit: Credit, n: int, line: Line, party: Party) -> Row:
        index = credit.serial + n
        return lean(
            id=line_id("creditMemoLineItems", self.seed, credit.serial, n),
            description=ITEMS[line.what].name if index % 2 else None,
            price=money(line.price, party.currency),
            quantity=quantity(line),
            amount=money(line.amount, party.currency),
            ratePercent=Decimal(100) if index % 3 == 0 else None,
            taxable=credit.sheet.tax_rate > 0,
            classifications=self._classifications(index, party, line.what),
        )

    def recurring(self, serial: int, created: int, updated: int) -> Row:
        """One recurring invoice (it stands alone: nothing refers to it)."""
        party = self.side.parties[serial * 5 % len(self.side.parties)]
        currency = party.currency
        lines = [Line(2 + n, 9_900 + 200 * serial, SOLD[(serial + n) % len(SOLD)]) for n in range(1 + serial % 2)]
        return lean(
            id=make_id("rit", self.seed, serial),
            customerId=party.id,
            description=ITEMS[lines[0].what].name if serial % 3 == 0 else None,
            archived=serial % 4 == 2,
            schedule=lean(
                period=("MONTHLY", "WEEKLY", "YEARLY")[serial % 3],
                frequency=1 + serial % 2,
                nextDueDate=calendar_day(CLOSED, 1 + serial % 28),
                endDate=calendar_day(CLOSED, 366) if serial % 2 else None,
                daysInAdvance=0,
            ),
            recurringInvoiceLineItems=[
                lean(
                    id=line_id("recurringInvoiceLineItems", self.seed, serial, n),
                    amount=money(line.amount, currency),
                    description=ITEMS[line.what].name if n == 0 else None,
                    price=money(line.price, currency),
                    quantity=quantity(line),
                    classifications=self._classifications(serial + n, party, line.what),
                    taxable=False,
                )
                for n, line in enumerate(lines)
            ],
            classifications=self._header(serial, party) if serial % 2 else None,
            sendEmail=serial % 2 == 0,
            createdTime=shown(created),
            updatedTime=shown(updated),
            paymentTermId=self.settings.ref("payment_terms", serial) if serial % 2 == 0 else None,
        )


def _accounts(party: Party) -> list[Row]:
    return PARTS["customer_bank_accounts"].rows(party.id)


def _percent(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)


def invoice_status(debt: Debt) -> str:
    """PAID_IN_FULL, SCHEDULED, PARTIAL_PAYMENT or OPEN (archived invoices stay OPEN: observed)."""
    if debt.due == 0:
        return "PAID_IN_FULL"
    if debt.scheduled:
        return "SCHEDULED"
    return "PARTIAL_PAYMENT" if debt.paid or debt.credit else "OPEN"
