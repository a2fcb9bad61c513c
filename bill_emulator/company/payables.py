# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""Vendors, bills, payments, vendor credits and recurring bills: ledger plans dressed as BILL rows.

Field names, nesting and types are documented. Which optional field a row carries follows from its serial number, so
that every documented field occurs in a company of usual size. Assumed: the items of `bills.payments` (shape unknown)
look like those of `invoices.payments`; `exchangeRate` is left out for US dollars; `billId` is left out when a payment
pays several bills; `transferMethod` sits at the top level of a vendor.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bill_emulator.company.catalog import ITEMS, trade_of
from bill_emulator.company.ids import line_id, make_id
from bill_emulator.company.ledger import CLOSED, Line, exchange_rate, in_dollars, money
from bill_emulator.company.names import PEOPLE, VENDORS, picked
from bill_emulator.company.parts import PARTS
from bill_emulator.company.rows import SideRows, quantity, stamped
from bill_emulator.company.settings import Settings, address, lean
from bill_emulator.times import DAY, MINUTE, calendar_day, shown

if TYPE_CHECKING:
    from bill_emulator.company.ledger import Credit, Debt, Ledger, Party, Payment, Plan, Share
    from bill_emulator.company.stored import Row

_APPROVALS = ("UNASSIGNED", "ASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED", "ASSIGNED")
_APPROVER_STATES = {
    "ASSIGNED": ("WAITING", "WAITING"),
    "APPROVING": ("APPROVED", "WAITING"),
    "APPROVED": ("APPROVED", "APPROVED"),
    "DENIED": ("APPROVED", "DENIED"),
}
RAILS = ("ACH", "CHECK", "RPPS", "VCARD", "WALLET", "OFFLINE")
"""How payments in US dollars travel, by turns: the serial number of a payment says which."""
# status of a payment -> single status, disbursement status
_STATES = {
    "PAID": ("CLEARED", "DONE"),
    "SCHEDULED": ("SCHEDULED", "IN_PROGRESS"),
    "VOID": ("VOIDED", "DONE"),
    "FAILED": ("FUNDING_FAILED_ACTION_NEEDED", "FAILED"),
    "CANCELLED": ("CANCELED", "FAILED"),
}
_VOIDS = ("VOID_ONLY", "VOID_AND_REISSUE", "VOID_AND_CREDIT")
# The items that are kept in stock, which vendors of goods sell.
_BOUGHT = [place for place, item in enumerate(ITEMS) if item.cost is not None]


class PayableRows(SideRows):
    """Makes payable rows from a ledger."""

    lists = ("vendors", "bills", "payments", "vendor_credits", "recurring_bills")
    party_id = "vendorId"
    debt_states = ("PAID", "SCHEDULED", "PARTIAL", "UNPAID")
    days_to_arrive, term_turn, days_in_advance = 2, 0, 5
    new_payment = "SCHEDULED"

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        super().__init__(ledger, ledger.payable, settings)
        self.customers = ledger.receivable.parties
        self.names: dict[int, str] = {}
        """The names of vendors that have one of their own, by serial number."""

    def new_line(self, serial: int, parties: list[Party]) -> tuple[Party, Line]:
        """Something that is an expense at once."""
        sellers = [party for party in parties if trade_of(party.serial).account.startswith("6")] or parties
        party = sellers[serial % len(sellers)]
        return party, Line(2, trade_of(party.serial).low + 2 * serial % 1_000, 0)

    def vendor_name(self, party: Party) -> str:
        """The display name."""
        return self.names.get(party.serial) or picked(VENDORS, party.serial)

    def party(self, party: Party) -> Row:
        """One vendor."""
        i, name, ref = party.serial, self.vendor_name(party), self.settings.ref
        foreign = party.currency != "USD"
        return stamped(party) | lean(
            archived=i % 11 == 4,
            name=name,
            shortName=f"V{i}" if i % 3 == 0 else None,
            accountNumber=f"{700_000 + i:08d}" if i % 2 == 0 else None,
            accountType="PERSON" if i % 7 == 3 else "BUSINESS",
            email=f"vendor{i}@supplier.example" if i % 5 else None,
            phone=f"303-555-{i % 10_000:04d}" if i % 4 == 1 else None,
            address=address(i),
            paymentInformation=self._payment_information(party, name),
            additionalInfo=lean(
                taxId=f"00-{i:07d}" if i % 4 == 0 else None,
                taxIdType="EIN" if i % 4 == 0 else None,
                track1099=i % 4 == 0,
                leadTimeInDays=i % 9 if i % 3 == 0 else None,
                combinePayments=i % 2 == 0,
                paymentTermId=ref("payment_terms", i) if i % 2 else None,
                companyName=f"{name} Inc" if i % 3 == 1 else None,
            ),
            rppsId=make_id("0rv", self.seed, i) if i % 9 == 5 else None,
            bankAccountStatus="NET_LINKED_ACCOUNT" if _has_account(party) else "NO_ACCOUNT",
            recurringPayments=i % 6 == 0,
            billCurrency=party.currency,
            balance={
                "amount": money(party.balance, party.currency),
                "lastUpdatedDate": shown(party.balanced or party.updated),
            },
            autoPay={"enabled": False}
            if i % 5
            else {
                "enabled": True,
                "bankAccountId": ref("bank_accounts", 0),
                "createdBy": self.settings.person("pay", i),
                "maxAmount": Decimal("2500.00"),
                "daysBeforeDueDate": 3,
            },
            networkStatus=("NOT_CONNECTED", "CONNECTED", "PENDING")[i % 3],
            paymentNetworkId=f"0{i:015d}" if i % 3 == 1 else None,
            transferMethod=("LOCAL", "WIRE")[i % 2] if foreign else None,
        )

    def _payment_information(self, party: Party, name: str) -> Row:
        i, paid = party.serial, party.last_paid
        foreign = party.currency != "USD"
        info = lean(
            payeeName=name,
            email=f"pay{i}@supplier.example" if i % 3 == 1 else None,
            lastPaymentDate=None if paid is None else calendar_day(min(paid + 2 * DAY, max(paid, CLOSED))),
            payByType=("ACH", "CHECK", "VIRTUAL_CARD", "OFFLINE")[i % 4],
            payBySubType="MULTIPLE" if foreign else ("ACH" if i % 2 == 0 else None),
            virtualCard=self._virtual_card(party) if i % 4 == 2 else None,
            bankAccount={
                "nameOnAccount": name,
                "accountNumber": f"*****{i % 10_000:04d}",
                "routingNumber": "074000010",
                "type": "CHECKING",
                "ownerType": "BUSINESS",
                "paymentCurrency": party.currency,
            }
            if _has_account(party)
            else None,
            paymentPurpose=_purpose() if foreign else None,
        )
        if i == 1:
            info["payBySubType"] = None  # the one explicit null that has been reported
        return info

    def _virtual_card(self, party: Party) -> Row:
        i = party.serial
        enrolled = i % 8 == 2
        return lean(
            status="ENROLLED" if enrolled else "UNENROLLED",
            remitEmail=f"card{i}@supplier.example",
            enrollDate=shown(party.created) if enrolled else None,
            declineDate=None if enrolled else shown(party.updated),
            alternatePayByType=None if enrolled else "CREDIT_CARD",
        )

    def _classifications(self, index: int, party: Party, *, customer: bool = False) -> Row:
        """The ids on a line: always the account of what the vendor sells; some name a customer or an employee too."""
        account = trade_of(party.serial).account
        coding = self.settings.coding(index, party)
        return lean(
            chartOfAccountId=self.settings.account(account),
            **coding,
            employeeId=self.settings.ref("employees", index % 4) if coding and index % 5 == 0 else None,
            itemId=self.settings.ref("items", _BOUGHT[index % len(_BOUGHT)]) if account == "1300" else None,
            customerId=self.customers[index % len(self.customers)].id if customer else None,
        )

    def _header(self, debt: Debt, party: Party) -> Row:
        line = self._classifications(debt.serial // 2 * 3, party)
        return {name: value for name, value in line.items() if name not in ("employeeId", "jobId")}

    def _goods(self, line: Line, party: Party) -> str:
        return trade_of(party.serial).goods[line.what]

    def debt(self, debt: Debt) -> Row:
        """One bill with its lines and approvers."""
        i, party = debt.serial, debt.party
        rate = exchange_rate(party.currency, i)
        amount = money(debt.total, party.currency)
        return lean(
            vendorName=self.vendor_name(party),
            fundingAmount=in_dollars(amount, rate),
            amount=amount,
            paidAmount=money(debt.paid + debt.credit, party.currency),
            **self.debt_fields(debt),
            description=self._goods(debt.sheet.lines[0], party) if i % 4 else None,
            invoice={"invoiceDate": calendar_day(debt.created), "invoiceNumber": f"INV-{i:06d}"},
            billLineItems=[self._bill_line(debt, n, line, party) for n, line in enumerate(debt.sheet.lines)],
            payFromChartOfAccountId=self.settings.account("1000") if i % 2 else None,
            paymentStatus=self.debt_status(debt),
            approvalStatus=self._approval(debt),
            classifications=self._header(debt, party) if i % 2 else None,
            approvers=self._approvers(debt),
            purchaseOrderNumber=f"PO-{i}" if i % 5 == 2 else None,
        )

    def _bill_line(self, debt: Debt, n: int, line: Line, party: Party) -> Row:
        index = debt.serial + n
        return lean(
            amount=money(line.amount, party.currency),
            id=line_id("billLineItems", self.seed, debt.serial, n),
            quantity=quantity(line),
            price=money(line.price, party.currency),
            description=self._goods(line, party) if index % 3 else None,
            classifications=self._classifications(index, party, customer=index % 4 == 0),
        )

    def waits(self, debt: Debt) -> bool:
        """Whether it is still to be approved."""
        return debt.record_status == "ACTIVE" and self._approval(debt) != "APPROVED"

    def _approval(self, debt: Debt) -> str:
        return self._first_approval(debt) if debt.approved is None else "APPROVED"

    def _first_approval(self, debt: Debt) -> str:
        """What is paid was approved; nobody approves a draft, and a bill that nobody touched waits."""
        if debt.approved is None and (debt.settled_by or debt.credit):
            return "APPROVED"
        state = "UNASSIGNED" if debt.record_status.startswith("DRAFT") else _APPROVALS[debt.serial % len(_APPROVALS)]
        return state if state == "UNASSIGNED" or debt.updated > debt.created else "ASSIGNED"

    def _approvers(self, debt: Debt) -> list[Row]:
        """One after the other, after the bill was entered and before anything was paid."""
        approval = self._first_approval(debt)
        states: tuple[str, ...] = _APPROVER_STATES.get(approval, ())
        if approval in ("ASSIGNED", "APPROVED") and (debt.serial % 2 == 0 or debt.updated == debt.created):
            states = states[:1]
        end = min([debt.updated, *(payment.created for payment in debt.settled_by)])
        patience = (2 + debt.serial % 5) * DAY + debt.serial * 437 % 1440 * MINUTE
        step = min(end - debt.created, patience) // (len(states) + 1)
        steps = [(state, debt.created + step * place) for place, state in enumerate(states, 1)]
        if debt.approved is not None:
            late = "APPROVED", debt.approved
            steps = [known if known[0] == "APPROVED" else late for known in steps] or [late]
        return [
            lean(
                userId=self.settings.person("approve", debt.serial + place),
                status=state,
                approverOrder=place,
                statusChangedTime=None if state == "WAITING" else shown(at),
            )
            for place, (state, at) in enumerate(steps, 1)
        ]

    def payment(self, payment: Payment) -> Row:
        """One payment and how it is split over bills."""
        i, ref = payment.serial, self.settings.ref
        party = payment.party
        currency = party.currency
        rate = exchange_rate(currency, i)
        amount = money(payment.amount, currency)
        rail = "INTERNATIONAL" if rate is not None else RAILS[i % len(RAILS)]
        online = rail != "OFFLINE"
        single, disbursed = _STATES[payment.state]
        shares = payment.shares
        return stamped(payment) | lean(
            amount=amount,
            vendorId=party.id,
            vendorName=self.vendor_name(party),
            billId=shares[0].target.id if len(shares) == 1 else None,
            billPayments=[self._share(payment, n, share, currency) for n, share in enumerate(shares)],
            description=f"To {self.vendor_name(party)}, with thanks" if i % 3 == 0 else None,
            processDate=payment.day(2),
            fundingAccount={"type": "BANK_ACCOUNT", "id": ref("bank_accounts", 0)} if online else None,
            processingOptions=lean(
                requestPayFaster=i % 4 == 0,
                createBill=False,
                requestCheckDeliveryType="STANDARD" if rail == "CHECK" else None,
            )
            if i % 2 == 1 or rail == "CHECK"
            else None,
            transactionNumber=f"T-{i:06d}",
            confirmationNumber=f"P{i:011d}" if online else None,
            status=payment.state,
            exchangeRate=rate,
            fundingAmount=in_dollars(amount, rate),
            onlinePayment=online,
            disbursementType=rail,
            remittanceEmail=f"pay{party.serial}@supplier.example" if i % 3 == 1 else None,
            createdBy=self.settings.person("pay", i),
            voidInfo=[self._void(payment)] if payment.state == "VOID" else None,
            disbursementStatus=disbursed,
            disbursementInfo=self._disbursement(payment, rail, amount) if online else None,
            paymentPurpose=None if rate is None else _purpose(),
            cardFundingPurpose="INVENTORY" if rail == "VCARD" else None,
            cancelRequestSubmitted=payment.state == "CANCELLED",
            singleStatus=single,
            exchangeRateBatchId=None if rate is None else f"FX{i:010d}",
        )

    def _share(self, payment: Payment, n: int, share: Share, currency: str) -> Row:
        used = [] if share.credit is None else [(share.credit, share.credit_amount)]
        return {
            "id": make_id("blp", self.seed, payment.serial * 4 + n),
            "billId": share.target.id,
            "amount": money(share.amount, currency),
            "vendorCredits": [{"id": credit.id, "amount": money(amount, currency)} for credit, amount in used],
        }

    def _void(self, payment: Payment) -> Row:
        i = payment.serial
        return stamped(payment) | {
            "id": make_id("vdi", self.seed, i),
            "requestedBy": self.settings.person("pay", i),
            "type": _VOIDS[i % len(_VOIDS)],
            "status": "ACCEPTED",
            "reason": "Sent to the wrong vendor",
        }

    def _disbursement(self, payment: Payment, rail: str, amount: Decimal) -> Row:
        i = payment.serial
        sent, arrives = payment.day(3), payment.day(6)
        rails: dict[str, Row] = {
            "ACH": {"sentDate": sent},
            "CHECK": {"sentDate": sent, "checkNumber": 10_000 + i},
            "RPPS": {"sentDate": sent, "traceNumber": 900_000_000_000 + i, "batchNumber": i},
            "INTERNATIONAL": {"sentDate": sent, "amount": amount, "disbursementSubType": "LOCAL"},
            "VCARD": {"validUntil": calendar_day(payment.created, 90), "last4CardNumber": f"{i % 10_000:04d}"},
            "WALLET": {},
        }
        delivery = {"arrivesByDate": arrives} | rails[rail]
        return {"isVoidable": payment.state == "PAID" and rail == "CHECK", f"{rail.lower()}Disbursement": delivery}

    def credit(self, credit: Credit) -> Row:
        """One vendor credit, its lines and where it was used."""
        i, party = credit.serial, credit.party
        return self.credit_fields(credit) | lean(
            referenceNumber=f"CR-{i:05d}",
            description="Returned goods" if i % 3 else None,
            applyToChartOfAccountId=self.settings.account("2000") if i % 2 == 0 else None,
            applyToBankAccountId=self.settings.ref("bank_accounts", 0) if i % 2 == 1 else None,
            vendorCreditLineItems=[
                lean(
                    id=line_id("vendorCreditLineItems", self.seed, i, n),
                    description=self._goods(line, party) if i % 2 == 0 else None,
                    amount=money(line.amount, party.currency),
                    classifications=self._classifications(i + n, party, customer=(i + n) % 2 == 0),
                )
                for n, line in enumerate(credit.sheet.lines)
            ],
            usage=[
                lean(
                    billId=debt.id,
                    paymentId=None if payment is None else payment.id,
                    amount=money(amount, party.currency),
                )
                for debt, payment, amount in credit.usage
            ],
        )

    def recurring(self, plan: Plan) -> Row:
        """One recurring bill."""
        serial = plan.serial
        party = self.side.parties[serial * 7 % len(self.side.parties)]
        automatic = serial % 2 == 1
        return self.recurring_fields(plan, party) | lean(
            recurringBillLineItems=[
                lean(
                    amount=money(12_000 + 1_010 * serial + n, party.currency),
                    id=line_id("recurringBillLineItems", self.seed, serial, n),
                    description=trade_of(party.serial).goods[n] if n == 0 else None,
                    classifications=self._classifications(serial + n, party),
                )
                for n in range(1 + serial % 2)
            ],
            description=f"Agreed with {PEOPLE[serial % len(PEOPLE)][0]}" if serial % 3 == 0 else None,
            processingOptions={"autoPayment": automatic},
            paymentInformation={"bankAccountId": self.settings.ref("bank_accounts", 0)} if automatic else None,
        )


def _has_account(party: Party) -> bool:
    return bool(PARTS["vendor_bank_accounts"].rows(party.id))


def _purpose() -> Row:
    return {"text": "Goods", "code": {"name": "Trade in goods", "value": "TRADE"}}
