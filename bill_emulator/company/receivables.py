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
from bill_emulator.company.ledger import Line, money
from bill_emulator.company.names import CUSTOMERS, PEOPLE, picked
from bill_emulator.company.parts import PARTS
from bill_emulator.company.rows import SideRows, quantity, stamped
from bill_emulator.company.settings import Settings, address, lean
from bill_emulator.times import calendar_day

if TYPE_CHECKING:
    from bill_emulator.company.ledger import Credit, Debt, Ledger, Party, Payment, Plan, Sheet
    from bill_emulator.company.stored import Row


class ReceivableRows(SideRows):
    """Makes receivable rows from a ledger."""

    lists = ("customers", "invoices", "receivable_payments", "credit_memos", "recurring_invoices")
    party_id = "customerId"
    debt_states = ("PAID_IN_FULL", "SCHEDULED", "PARTIAL_PAYMENT", "OPEN")  # archived ones stay OPEN (observed)
    days_to_arrive, term_turn, days_in_advance = 0, 1, 0
    new_payment = "PAID"

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        super().__init__(ledger, ledger.receivable, settings)

    def new_line(self, serial: int, parties: list[Party]) -> tuple[Party, Line]:
        """One piece of something, at its price."""
        what = SOLD[serial % len(SOLD)]
        return parties[serial % len(parties)], Line(2, int((ITEMS[what].price or 0) * 100), what)

    def party(self, party: Party) -> Row:
        """One customer."""
        i = party.serial
        name = picked(CUSTOMERS, i)
        first, last = PEOPLE[i % len(PEOPLE)]
        return stamped(party) | lean(
            email=f"billing{i}@customer.example",
            name=name,
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
            hasBankAccount=bool(_accounts(party)),
            authorizedToCharge=bool(_accounts(party)) and i % 2 == 0,
        )

    def _classifications(self, index: int, party: Party, item: int) -> Row:
        """The ids on a line: always the item; the item's account stands there too, now and then."""
        account = self.settings.account(ITEMS[item].account) if index % 2 else None
        return lean(
            itemId=self.settings.ref("items", item), chartOfAccountId=account, **self.settings.coding(index, party)
        )

    def _tax(self, sheet: Sheet, currency: str) -> Row:
        if not sheet.tax_rate:
            return {}
        return {
            "salesTaxItemId": self.settings.ref("items", TAX_ITEMS[sheet.tax_rate]),
            "salesTaxTotal": money(sheet.tax, currency),
            "salesTaxPercentage": Decimal(sheet.tax_rate).scaleb(-2),
        }

    def debt(self, debt: Debt) -> Row:
        """One invoice with its lines and what was paid on it."""
        i, party = debt.serial, debt.party
        return self.debt_fields(debt) | lean(
            invoiceNumber=f"{1001 + i}",
            invoiceDate=calendar_day(debt.created),
            totalAmount=money(debt.total, party.currency),
            status=self.debt_status(debt),
            invoiceLineItems=[self._invoice_line(debt, n, line, party) for n, line in enumerate(debt.sheet.lines)],
            payToChartOfAccountId=self.settings.account("1000") if i % 3 == 0 else None,
            classifications=self.settings.coding(3 * i, party) if i % 2 else None,
            **self._tax(debt.sheet, party.currency),
            enableCardPayment=i % 5 == 0,
            convenienceFee={"percentage": Decimal("2.9")} if i % 5 == 0 else None,
            invoicePdfId=make_id("att", self.seed, i) if i % 2 == 0 else None,
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
        party = payment.party
        currency, day = party.currency, payment.day(0)
        accounts = _accounts(party)
        online = bool(accounts) and i % 3 != 1
        own_account = self.settings.ref("bank_accounts", 0)
        return stamped(payment) | lean(
            amount=money(payment.amount, currency),
            customerId=party.id,
            invoicePayments=[
                {"invoiceId": share.target.id, "amount": money(share.amount, currency), "paymentDate": day}
                for share in payment.shares
            ],
            description=f"Thank you, {PEOPLE[i % len(PEOPLE)][0]}" if i % 4 == 1 else None,
            paymentDate=day,
            fundingAccount={"id": accounts[0]["id"], "type": "BANK_ACCOUNT"} if online else None,
            receivablesAccount={"id": own_account, "type": "BANK_ACCOUNT"} if online else None,
            unappliedAmount=money(payment.unapplied, currency),
            convenienceFeeAmount=money(290, currency) if online and i % 2 == 0 else None,
            receivablesType=("CREDIT_CARD", "WALLET")[i // 3 % 2] if online else None,
            status=payment.state,
            referenceNumber=None if online else f"CHK {300 + i}",
            onlinePayment=online,
        )

    def credit(self, credit: Credit) -> Row:
        """One credit memo, its lines and where it was used."""
        i, party = credit.serial, credit.party
        return self.credit_fields(credit) | lean(
            referenceNumber=f"CM-{i:05d}",
            description="Goodwill ♥" if i % 3 == 0 else None,
            **self._tax(credit.sheet, party.currency),
            payToChartOfAccountId=self.settings.account("1000") if i % 2 == 0 else None,
            payToBankAccountId=self.settings.ref("bank_accounts", 0) if i % 2 else None,
            creditMemoLineItems=[
                self._credit_line(credit, n, line, party) for n, line in enumerate(credit.sheet.lines)
            ],
            classifications=self.settings.coding(3 * (i // 2), party) if i % 3 == 1 else None,
            usage=[{"invoiceId": debt.id, "amount": money(amount, party.currency)} for debt, _, amount in credit.usage],
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

    def recurring(self, plan: Plan) -> Row:
        """One recurring invoice."""
        serial = plan.serial
        party = self.side.parties[serial * 5 % len(self.side.parties)]
        lines = [Line(2 + n, 9_900 + 200 * serial, SOLD[(serial + n) % len(SOLD)]) for n in range(1 + serial % 2)]
        return self.recurring_fields(plan, party) | lean(
            description=ITEMS[lines[0].what].name if serial % 3 == 0 else None,
            recurringInvoiceLineItems=[
                lean(
                    id=line_id("recurringInvoiceLineItems", self.seed, serial, n),
                    amount=money(line.amount, party.currency),
                    description=ITEMS[line.what].name if n == 0 else None,
                    price=money(line.price, party.currency),
                    quantity=quantity(line),
                    classifications=self._classifications(serial + n, party, line.what),
                    taxable=False,
                )
                for n, line in enumerate(lines)
            ],
            classifications=self.settings.coding(3 * serial, party) if serial % 2 else None,
            sendEmail=serial % 2 == 0,
            paymentTermId=self.settings.ref("payment_terms", serial) if serial % 2 == 0 else None,
        )


def _accounts(party: Party) -> list[Row]:
    return PARTS["customer_bank_accounts"].rows(party.id)
