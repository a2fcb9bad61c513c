"""The books of the invented company make sense to an accountant: accounts, dates, people, cards and budgets."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bill_emulator import Company

END = "2026-06-30"
PERIOD = "2026-06-01"
DIGITS = {"JPY": 0}
COSTS = {"EXPENSE", "COST_OF_GOODS_SOLD", "FIXED_ASSET", "OTHER_CURRENT_ASSET"}
PARTIES = {"bills": ("vendors", "vendorId", "billCurrency"), "invoices": ("customers", "customerId", "invoiceCurrency")}


@pytest.fixture(scope="module", params=[(7, 250), (3, 600)], ids=["usual", "larger"])
def books(request):
    seed, bills = request.param
    company = Company(seed=seed, bills=bills)
    lists = {name: company.rows(name) for name in company.totals()}
    spend = {name: company.spend.rows(name) for name in SPEND}
    below = {
        "members": {budget: company.spend.members(budget) for budget in company.spend.ids("budgets")},
        "values": {field: company.spend.values(field) for field in company.spend.ids("custom-fields")},
    }
    return lists | {"spend": spend, "below": below}


SPEND = ("transactions", "reimbursements", "cards", "budgets", "users", "custom-fields")


def by_id(rows):
    return {row["id"]: row for row in rows}


def account_types(books):
    return {row["id"]: row["account"]["type"] for row in books["chart_of_accounts"]}


# Accounts


def test_the_chart_has_accounts_of_every_kind_and_is_numbered_like_one(books):
    ranges = {"1": "ASSET BANK RECEIVABLE", "2": "LIABILITY PAYABLE CREDIT_CARD", "3": "EQUITY", "4": "INCOME"}
    ranges |= {"5": "COST_OF_GOODS_SOLD", "6": "EXPENSE", "8": "OTHER_INCOME OTHER_EXPENSE", "9": "UNSPECIFIED"}
    numbers = [row["account"]["number"] for row in books["chart_of_accounts"]]
    assert numbers == sorted(set(numbers), key=numbers.index)
    for row in books["chart_of_accounts"]:
        assert any(row["account"]["type"].endswith(kind) for kind in ranges[row["account"]["number"][0]].split())
    assert {number[0] for number in numbers} == ranges.keys()


def test_bills_and_vendor_credits_are_coded_to_costs_and_assets(books):
    types, seen = account_types(books), set()
    live = {row["id"] for row in books["chart_of_accounts"] if not row["archived"]}
    for name, lines in (
        ("bills", "billLineItems"),
        ("vendor_credits", "vendorCreditLineItems"),
        ("recurring_bills", "recurringBillLineItems"),
    ):
        for row in books[name]:
            for line in row[lines]:
                account = line["classifications"]["chartOfAccountId"]
                assert types[account] in COSTS
                assert account in live
                seen.add(types[account])
            header = row.get("classifications", {}).get("chartOfAccountId")
            assert header in {None, row[lines][0]["classifications"]["chartOfAccountId"]}
    assert seen == COSTS


def test_what_a_vendor_sells_goes_to_one_account(books):
    accounts = defaultdict(set)
    for bill in books["bills"]:
        accounts[bill["vendorId"]] |= {line["classifications"]["chartOfAccountId"] for line in bill["billLineItems"]}
    assert {len(found) for found in accounts.values()} == {1}
    assert len(set.union(*accounts.values())) >= 8


def test_invoices_are_sold_as_items_that_earn_income(books):
    types, items = account_types(books), by_id(books["items"])
    for name, lines in (
        ("invoices", "invoiceLineItems"),
        ("credit_memos", "creditMemoLineItems"),
        ("recurring_invoices", "recurringInvoiceLineItems"),
    ):
        for row in books[name]:
            for line in row[lines]:
                item = items[line["classifications"]["itemId"]]
                assert types[item["chartOfAccountId"]] == "INCOME"
                assert line["classifications"].get("chartOfAccountId") in {None, item["chartOfAccountId"]}
                assert line.get("description") in {None, item["name"]}
                assert not item["archived"]


def test_items_are_sold_at_their_price(books):
    items, currencies = by_id(books["items"]), {row["id"]: row["invoiceCurrency"] for row in books["customers"]}
    dollars = [row for row in books["invoices"] if currencies[row["customerId"]] == "USD"]
    lines = [line for row in dollars for line in row["invoiceLineItems"]]
    odd = [line for line in lines if line["price"] != items[line["classifications"]["itemId"]]["price"]]
    assert [line["price"] for line in odd] == [Decimal("0.10")] * 2


def test_sales_tax_is_that_of_its_item_and_only_at_home(books):
    items, currencies = by_id(books["items"]), {row["id"]: row["invoiceCurrency"] for row in books["customers"]}
    taxed = [row for name in ("invoices", "credit_memos") for row in books[name] if "salesTaxItemId" in row]
    assert {items[row["salesTaxItemId"]]["percentage"] for row in taxed} == {Decimal("8.25"), Decimal("6.00")}
    for row in taxed:
        assert items[row["salesTaxItemId"]]["type"] == "SALES_TAX"
        assert row["salesTaxPercentage"] == items[row["salesTaxItemId"]]["percentage"]
        assert currencies[row["customerId"]] == "USD"


def test_money_is_kept_in_a_bank_account(books):
    types = account_types(books)
    paying = [row["payFromChartOfAccountId"] for row in books["bills"] if "payFromChartOfAccountId" in row]
    paying += [row["payToChartOfAccountId"] for row in books["invoices"] if "payToChartOfAccountId" in row]
    paying += [row["chartOfAccountId"] for row in books["bank_accounts"] if "chartOfAccountId" in row]
    assert {types[account] for account in paying} == {"BANK"}


@pytest.mark.parametrize("name", ["accounting_classes", "departments", "jobs", "locations"])
def test_lines_use_every_classification_that_is_not_archived(books, name):
    key = {"accounting_classes": "accountingClassId"}.get(name, name[:-1] + "Id")
    used = {
        line["classifications"].get(key)
        for kind, lines in (("bills", "billLineItems"), ("invoices", "invoiceLineItems"))
        for row in books[kind]
        for line in row[lines]
    }
    assert used - {None} == {row["id"] for row in books[name] if not row["archived"]}
    assert None in used


# Amounts


def test_amounts_have_the_digits_of_their_currency(books):
    for name, (parties, key, currency) in PARTIES.items():
        currencies = {row["id"]: row[currency] for row in books[parties]}
        for row in books[name]:
            digits = DIGITS.get(currencies[row[key]], 2)
            lines = [line for lines in row.values() if isinstance(lines, list) for line in lines]
            amounts = [
                value
                for part in (row, *lines)
                for field, value in part.items()
                if field == "price" or (field.lower().endswith("amount") and field != "fundingAmount")
            ]
            assert len(amounts) > 4
            assert {-amount.as_tuple().exponent for amount in amounts} == {digits}
    for bill in books["bills"]:
        assert bill["fundingAmount"].as_tuple().exponent == -2 or bill["fundingAmount"] == bill["amount"]


def test_the_amount_that_nobody_owes_is_archived(books):
    largest = max((bill["amount"], bill["recordStatus"]) for bill in books["bills"])
    assert largest == (Decimal("99999999999.99"), "INACTIVE")
    assert max(bill["fundingAmount"] for bill in books["bills"] if bill["recordStatus"] == "ACTIVE") < 250_000


# Dates


def test_bills_are_entered_approved_and_paid_in_this_order(books):
    payments = by_id(books["payments"])
    states, several = set(), 0
    for bill in books["bills"]:
        steps = [row for row in bill["approvers"] if "statusChangedTime" in row]
        times = [bill["createdTime"], *(row["statusChangedTime"] for row in steps)]
        assert times == sorted(times)
        assert times[-1] <= bill["updatedTime"]
        assert [row["approverOrder"] for row in bill["approvers"]] == [*range(1, len(bill["approvers"]) + 1)]
        assert bill["createdBy"] not in {row["userId"] for row in bill["approvers"]}
        assert len({row["userId"] for row in bill["approvers"]}) == len(bill["approvers"])
        paid = [payments[row["id"]] for row in bill["payments"]]
        assert all(times[-1] <= row["createdTime"] for row in paid)
        assert bill["approvalStatus"] == "APPROVED" or not paid
        found = [row["status"] for row in bill["approvers"]]
        states.add((bill["approvalStatus"], *found))
        several += len(set(times)) > 2
    assert states == {
        ("UNASSIGNED",),
        ("ASSIGNED", "WAITING"),
        ("ASSIGNED", "WAITING", "WAITING"),
        ("APPROVING", "APPROVED", "WAITING"),
        ("APPROVED", "APPROVED"),
        ("APPROVED", "APPROVED", "APPROVED"),
        ("DENIED", "APPROVED", "DENIED"),
    }
    assert several > 50


def test_only_what_is_scheduled_lies_ahead(books):
    days = [(row["status"], row["createdTime"][:10], row["processDate"]) for row in books["payments"]]
    days += [(row["status"], row["createdTime"][:10], row["paymentDate"]) for row in books["receivable_payments"]]
    assert {status for status, _, day in days if day > END} == {"SCHEDULED"}
    assert {day > END for status, _, day in days if status == "SCHEDULED"} == {True}
    assert all(created <= day for _, created, day in days)


def test_nearly_all_old_bills_are_paid_and_nearly_all_scheduled_ones_are_recent(books):
    active = [bill for bill in books["bills"] if bill["recordStatus"] == "ACTIVE"]
    old = [bill for bill in active if bill["createdTime"] < "2026-04-01"]
    paid = [bill for bill in old if bill["paymentStatus"] == "PAID"]
    assert len(old) * 0.8 < len(paid) < len(old)
    assert all(bill["createdTime"] > "2026-04-01" for bill in active if bill["paymentStatus"] == "SCHEDULED")


def test_a_payment_term_says_when_something_is_due(books):
    days = {row["id"]: row["daysDue"] for row in books["payment_terms"]}
    found = set()
    for row in (*books["bills"], *books["invoices"]):
        begin = row["invoiceDate"] if "invoiceDate" in row else row["invoice"]["invoiceDate"]
        assert row["dueDate"] == day_after(begin, days[row["paymentTermId"]] if "paymentTermId" in row else 30)
        found.add(row.get("paymentTermId"))
    assert found == {None, *days}


def day_after(day, plus):
    return (date.fromisoformat(day) + timedelta(days=plus)).isoformat()


# Spend & Expense


def test_purchases_are_made_by_the_holder_of_an_active_card_of_the_budget(books):
    spend, members = books["spend"], books["below"]["members"]
    cards, users = by_id(spend["cards"]), by_id(spend["users"])
    budgets = by_id(spend["budgets"])
    for row in spend["transactions"]:
        card = cards[row["cardId"]]
        assert (card["userId"], card["budgetId"], card["lastFour"]) == (
            row["userId"],
            row["budgetId"],
            row["cardLastFour"],
        )
        assert (card["status"], card["userUuid"]) == ("ACTIVATED", row["userUuid"])
        assert row["userName"] == "{firstName} {lastName}".format(**users[row["userId"]])
        assert not budgets[row["budgetId"]]["retired"]
        assert row["userId"] in {member["userId"] for member in members[row["budgetId"]]}
        assert row["occurredTime"] >= card["createdTime"]
        assert (
            budgets[row["budgetId"]]["startDate"] <= row["occurredTime"] <= row["updatedTime"] < "2026-06-30T18:00:01"
        )
        assert row["userId"] not in {reviewer["userId"] for reviewer in row["reviewers"]}


def test_a_clearing_is_the_purchase_that_was_authorized(books):
    rows = by_id(books["spend"]["transactions"])
    same = ("merchantName", "amount", "cardId", "userId", "budgetId", "occurredTime", "currencyData")
    kinds = defaultdict(int)
    for row in rows.values():
        kinds[row["transactionType"]] += 1
        if row["transactionType"] == "CLEAR":
            first = rows[row["originalAuthTransactionId"]]
            assert first["transactionType"] == "AUTHORIZATION"
            assert [row[name] for name in same] == [first[name] for name in same]
        else:
            assert "originalAuthTransactionId" not in row
    assert kinds["AUTHORIZATION"] >= kinds["CLEAR"] > 8 * kinds["DECLINE"] > 0


def test_what_is_settled_was_reviewed_and_passed_on(books):
    withdrawn = failed = 0
    seen = set()
    for row in books["spend"]["transactions"]:
        if row["transactionType"] != "CLEAR":
            assert not row.keys() & {"reviews", "accountingIntegrationTransactions"}
            continue
        reviews = row["reviews"]
        assert [review["reviewerUuid"] for review in reviews if "deletedTime" not in review] == [
            reviewer["userUuid"] for reviewer in row["reviewers"] if reviewer["status"] == "APPROVED"
        ]
        for review in reviews:
            assert review["isApproved"] == ("deletedTime" not in review)
            assert row["occurredTime"] <= review["createdTime"] <= review.get("deletedTime", row["updatedTime"])
        (passed,) = row["accountingIntegrationTransactions"]
        assert ("integrationTxId" in passed, "syncMessage" in passed) == {
            "SYNCED": (True, False),
            "ERROR": (False, True),
        }[passed["syncStatus"]]
        ids = {review["id"] for review in reviews} | {passed["id"]}
        assert len(ids) == len(reviews) + 1
        assert not ids & seen
        seen |= ids
        withdrawn += any("deletedTime" in review for review in reviews)
        failed += passed["syncStatus"] == "ERROR"
    assert withdrawn > 0
    assert failed > 0


def test_spending_adds_up_by_budget_card_and_member(books):
    spend = books["spend"]
    rows = [row for row in spend["transactions"] if row["occurredTime"] >= PERIOD]
    settled = {row.get("originalAuthTransactionId") for row in spend["transactions"]}
    spent = [row for row in rows if row["transactionType"] != "DECLINE" and row["id"] not in settled]

    def total(**wanted):
        return sum((row["amount"] for row in spent if wanted.items() <= row.items()), Decimal("0.00"))

    for budget in spend["budgets"]:
        period = budget["currentPeriod"]
        assert period["spent"]["total"] == total(budgetId=budget["id"]) < period["limit"]
        assert period["spent"]["cleared"] == total(budgetId=budget["id"], transactionType="CLEAR")
        assert period["spent"]["pending"] == total(budgetId=budget["id"], transactionType="AUTHORIZATION")
        members = books["below"]["members"][budget["id"]]
        assert sum(member["spent"] for member in members) == period["spent"]["total"]
        for member in members:
            assert member["spent"] == total(budgetId=budget["id"], userId=member["userId"]) < member["limit"]
    for card in spend["cards"]:
        assert card["currentPeriod"]["spent"] == total(cardId=card["id"]) < card["currentPeriod"]["limit"]
    assert total() > 0


def test_custom_fields_choose_values_that_exist_and_fit_the_budget(books):
    spend = books["spend"]
    values = {field: {row["id"]: row for row in rows} for field, rows in books["below"]["values"].items()}
    categories = defaultdict(set)
    for row in (*spend["transactions"], *spend["reimbursements"]):
        for field in row["customFields"]:
            for chosen in field.get("selectedValues", ()):
                kept = values[field["id"]][chosen["id"]]
                assert (kept["value"], kept["deleted"]) == (chosen["value"], False)
        categories[row["budgetId"]].add(row["customFields"][0]["selectedValues"][0]["value"])
    assert {frozenset(found) for found in categories.values()} == {
        frozenset([name]) for name in ("Meals", "Travel", "Software", "Office")
    }


def test_foreign_purchases_are_converted(books):
    digits = {"USD": 2, "JPY": 0, "CHF": 2, "PLN": 2}
    seen = set()
    for row in books["spend"]["transactions"]:
        currency = row["currencyData"]
        seen.add(currency["originalCurrencyCode"])
        assert currency["exponent"] == digits[currency["originalCurrencyCode"]]
        original = Decimal(currency["originalCurrencyAmount"]).scaleb(-currency["exponent"])
        assert abs(row["amount"] * currency["exchangeRate"] - original) < Decimal(1).scaleb(-currency["exponent"])
        assert (row["fees"] == 0) == (currency["originalCurrencyCode"] == "USD")
    assert seen == digits.keys()


def categories(row):
    return [value["value"] for value in row["customFields"][0]["selectedValues"]]


def test_reimbursements_are_asked_for_approved_and_paid_by_members(books):
    spend, members = books["spend"], books["below"]["members"]
    for row in spend["reimbursements"]:
        assert row["userId"] in {member["userId"] for member in members[row["budgetId"]] if not member["retired"]}
        steps = row["statusHistory"]
        times = [step["occurredTime"] for step in steps]
        assert [row["submittedTime"], *times] == sorted([row["submittedTime"], *times])
        assert [step["status"] for step in steps] == ["READY_TO_PAY", "APPROVED", "PAID"][: len(steps)]
        assert row["status"] == steps[-1]["status"]
        assert {step["actorId"] for step in steps} <= {user["id"] for user in spend["users"]}
        assert row["occurredDate"] < row["submittedTime"]
        assert row["amount"].as_tuple().exponent == -2
        assert row["type"] == "PURCHASE" or categories(row) == ["Travel"]
        assert times[-1] < "2026-06-30T18:00:01"


# Bank accounts


def test_bank_accounts_that_rows_speak_of_exist(request, books):
    seed, bills = request.node.callspec.params["books"]
    company = Company(seed=seed, bills=bills)
    accounts = {row["id"]: company.parts("customer_bank_accounts", row["id"]) for row in books["customers"]}
    assert all(row["hasBankAccount"] == bool(accounts[row["id"]]) for row in books["customers"])
    assert not any(row["authorizedToCharge"] and not row["hasBankAccount"] for row in books["customers"])
    online = [row for row in books["receivable_payments"] if row["onlinePayment"]]
    for row in online:
        assert row["fundingAccount"]["id"] in {account["id"] for account in accounts[row["customerId"]]}
    assert len(online) > 10
    for row in books["vendors"]:
        known = bool(company.parts("vendor_bank_accounts", row["id"]))
        assert ("bankAccount" in row["paymentInformation"], row["bankAccountStatus"] != "NO_ACCOUNT") == (known, known)


# Rows that are added later


def test_what_is_added_later_is_coded_as_well():
    company = Company(bills=40)
    types = account_types({"chart_of_accounts": company.rows("chart_of_accounts")})
    items = by_id(company.rows("items"))
    for _ in range(15):
        bill, invoice = company.add("bills"), company.add("invoices")
        assert types[bill["billLineItems"][0]["classifications"]["chartOfAccountId"]] == "EXPENSE"
        assert types[items[invoice["invoiceLineItems"][0]["classifications"]["itemId"]]["chartOfAccountId"]] == "INCOME"
        vendor, customer = company.row("vendors", bill["vendorId"]), company.row("customers", invoice["customerId"])
        assert (vendor["billCurrency"], customer["invoiceCurrency"], vendor["name"]) == (
            "USD",
            "USD",
            bill["vendorName"],
        )
        assert bill["amount"] == bill["dueAmount"] == bill["billLineItems"][0]["amount"] == bill["fundingAmount"] > 0
        assert invoice["totalAmount"] == invoice["dueAmount"] == invoice["invoiceLineItems"][0]["price"] > 0
