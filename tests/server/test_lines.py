"""Lists inside records: each is a table, and none of its rows is lost, whatever BILL leaves out or sends twice."""

from __future__ import annotations

import json

import canned
import pytest
from runs import settings

from bill_emulator import EXTRAS, Credentials, Emulator

UNKNOWN = (
    "{}: BILL sends fields that this version does not know in this form: {}. Their values are kept in _unknown_fields; "
    "look for a newer tap-bill."
)


def lines(rows):
    """Rows without the columns that are the same in all of these."""
    return [{name: row[name] for name in row.keys() - {"organizationId", "parentUpdatedTime"}} for row in rows]


def spelled(row):
    return json.dumps(row, sort_keys=True, default=str)


@pytest.fixture
def of_spend(tap, httpserver):
    """Read card transactions with these arrays, and the tables of their lines."""

    def run(*transactions):
        own = {"updatedTime": "2026-04-11T09:30:00.000+00:00"}
        records = [{"uuid": f"trx_{number}", **own, **record} for number, record in enumerate(transactions, 1)]
        answers = {"/v3/spend/users/current": {}, "/v3/spend/transactions": {"results": records}}
        config = canned.serve(httpserver, answers) | {"spend_api_token": "token"}
        tables = {"custom_fields", "custom_field_values", "receipts", "reviewers", "reviews", "accounting_transactions"}
        done = tap(config, select={"spend_transactions", *(f"spend_transaction_{table}" for table in tables)})
        assert (done.exit_code, done.errors) == (0, [])
        keys = {message["stream"]: message["key_properties"] for message in done.of("SCHEMA")}
        for stream, rows in done.records.items():
            found = [tuple(row[column] for column in keys[stream]) for row in rows]
            assert len(set(found)) == len(found), stream
            assert None not in {part for key in found for part in key}, stream
        return done

    return run


@pytest.mark.measured
def test_a_line_without_a_uuid_has_its_position(of_spend):
    run = of_spend({"receipts": [{"filename": "a"}, {"uuid": "rct_1"}, {"uuid": None}, {"uuid": ""}]})
    assert lines(run.records["spend_transaction_receipts"]) == [
        {"transactionUuid": "trx_1", "position": 1, "uuid": "position-1", "filename": "a"},
        {"transactionUuid": "trx_1", "position": 2, "uuid": "rct_1"},
        {"transactionUuid": "trx_1", "position": 3, "uuid": "position-3"},
        {"transactionUuid": "trx_1", "position": 4, "uuid": "position-4", "_unknown_fields": {"uuid": ""}},
    ]


@pytest.mark.measured
def test_a_uuid_that_is_no_text_is_kept_beside_the_position(of_spend):
    run = of_spend({"receipts": [{"uuid": 5}, {"uuid": ["rct_1"]}]})
    assert lines(run.records["spend_transaction_receipts"]) == [
        {"transactionUuid": "trx_1", "position": 1, "uuid": "position-1", "_unknown_fields": {"uuid": 5}},
        {"transactionUuid": "trx_1", "position": 2, "uuid": "position-2", "_unknown_fields": {"uuid": ["rct_1"]}},
    ]


def test_a_uuid_that_comes_twice_in_one_parent_replaces_no_row(of_spend):
    run = of_spend(
        {"receipts": [{"uuid": "rct_1", "filename": "a"}, {"uuid": "rct_1", "filename": "b"}]},
        {"receipts": [{"uuid": "rct_1", "filename": "c"}]},
    )
    assert lines(run.records["spend_transaction_receipts"]) == [
        {"transactionUuid": "trx_1", "position": 1, "uuid": "rct_1", "filename": "a"},
        {
            "transactionUuid": "trx_1",
            "position": 2,
            "uuid": "position-2",
            "filename": "b",
            "_unknown_fields": {"uuid": "rct_1"},
        },
        {"transactionUuid": "trx_2", "position": 1, "uuid": "rct_1", "filename": "c"},
    ]
    assert run.warnings == [UNKNOWN.format("spend_transaction_receipts", "uuid")]


def test_values_are_told_apart_by_their_custom_field(of_spend):
    """The same value under two custom fields, and custom fields that are only told apart by their position."""
    run = of_spend(
        {
            "customFields": [
                {"uuid": "tty_1", "selectedValues": [{"uuid": "tvl_1"}, {"uuid": "tvl_2"}, {"uuid": "tvl_1"}]},
                {"uuid": "tty_2", "selectedValues": [{"uuid": "tvl_1"}, {"value": "Meals"}]},
                {"name": "Note", "selectedValues": [{"uuid": "tvl_1"}]},
                {"uuid": "tty_1", "selectedValues": [{"uuid": "tvl_1"}]},
                {"uuid": "tty_3"},
            ]
        }
    )
    assert [row["uuid"] for row in run.records["spend_transaction_custom_fields"]] == [
        "tty_1",
        "tty_2",
        "position-3",
        "position-4",
        "tty_3",
    ]
    own = {"transactionUuid": "trx_1"}
    assert lines(run.records["spend_transaction_custom_field_values"]) == [
        {**own, "customFieldUuid": "tty_1", "position": 1, "uuid": "tvl_1"},
        {**own, "customFieldUuid": "tty_1", "position": 2, "uuid": "tvl_2"},
        {
            **own,
            "customFieldUuid": "tty_1",
            "position": 3,
            "uuid": "position-3",
            "_unknown_fields": {"uuid": "tvl_1"},
        },
        {**own, "customFieldUuid": "tty_2", "position": 4, "uuid": "tvl_1"},
        {**own, "customFieldUuid": "tty_2", "position": 5, "uuid": "position-5", "value": "Meals"},
        {**own, "customFieldUuid": "position-3", "position": 6, "uuid": "tvl_1"},
        {**own, "customFieldUuid": "position-4", "position": 7, "uuid": "tvl_1"},
    ]


def test_lines_by_position_may_have_the_same_id(of_spend):
    review, sync = {"id": "r", "isApproved": True}, {"id": "a", "syncStatus": "SYNCED"}
    run = of_spend({"reviews": [review, review], "accountingIntegrationTransactions": [sync, sync]})
    own = {"transactionUuid": "trx_1"}
    assert lines(run.records["spend_transaction_reviews"]) == [{**own, "position": n, **review} for n in (1, 2)]
    assert lines(run.records["spend_transaction_accounting_transactions"]) == [
        {**own, "position": n, **sync} for n in (1, 2)
    ]


def test_an_id_that_comes_twice_in_one_bill_replaces_no_line(tap, httpserver):
    entries = [{"id": "bli_1", "amount": 1}, {"id": "bli_1", "amount": 2}]
    bill = {
        "id": "00n1",
        "createdTime": "2026-04-11T09:30:00.000+00:00",
        "updatedTime": "2026-04-11T09:30:00.000+00:00",
        "billLineItems": entries,
    }
    config = canned.serve(httpserver, {"/v3/bills": {"results": [bill]}})
    run = tap(config, select={"bills", "bill_line_items"})
    assert run.exit_code == 0
    assert lines(run.records["bill_line_items"]) == [
        {"billId": "00n1", "position": 1, "id": "bli_1", "amount": 1},
        {"billId": "00n1", "position": 2, "id": "position-2", "amount": 2, "_unknown_fields": {"id": "bli_1"}},
    ]
    assert [row["billLineItems"] for row in run.records["bills"]] == [entries]


# Approval policies


@pytest.fixture
def of_policies(tap, httpserver):
    """Read approval policies, and the tables of their rules and approvers."""

    def run(*policies):
        config = canned.serve(httpserver, {"/v3/bill-approvals/policies": list(policies)})
        names = {"bill_approval_policies", "bill_approval_policy_rules", "bill_approval_policy_approvers"}
        done = tap(config, select=names)
        assert (done.exit_code, done.errors) == (0, [])
        keys = {message["stream"]: message["key_properties"] for message in done.of("SCHEMA")}
        for part in ("rules", "approvers"):
            key = ["organizationId", "billApprovalPolicyId", "position"]
            assert keys[f"bill_approval_policy_{part}"] == key
            for row in done.records[f"bill_approval_policy_{part}"]:
                assert (row["organizationId"], row["parentUpdatedTime"]) == (canned.ORGANIZATION, None)
        return done

    return run


def test_rules_come_with_their_values(of_policies):
    amount = {"key": "BILL_AMOUNT", "op": "gte"}
    vendor = {"key": "VENDOR_ID", "op": "UNDEFINED"}
    first, second = {"value": "009A", "displayName": "A"}, {"value": "009B", "displayName": "B"}
    run = of_policies(
        {"id": "p1", "rules": [{**amount, "values": [{"value": "500"}]}, {**vendor, "values": [first, second]}]},
        {"id": "p2", "rules": [amount, {**vendor, "values": []}, {**amount, "values": [{"value": "9"}]}]},
        {"id": "p3"},
    )
    assert lines(run.records["bill_approval_policy_rules"]) == [
        {"billApprovalPolicyId": "p1", "rulePosition": 1, "position": 1, **amount, "value": "500"},
        {"billApprovalPolicyId": "p1", "rulePosition": 2, "position": 2, **vendor, **first},
        {"billApprovalPolicyId": "p1", "rulePosition": 2, "position": 3, **vendor, **second},
        {"billApprovalPolicyId": "p2", "rulePosition": 1, "position": 1, **amount},
        {"billApprovalPolicyId": "p2", "rulePosition": 2, "position": 2, **vendor},
        {"billApprovalPolicyId": "p2", "rulePosition": 3, "position": 3, **amount, "value": "9"},
    ]
    assert run.warnings == []


def test_approvers_are_single_users_and_those_of_groups(of_policies):
    directors = {"groupId": "g1", "groupName": "Directors"}
    run = of_policies(
        {
            "id": "p1",
            "approvers": {
                "users": [{"userId": "006A", "fullName": "Noor"}, {"userId": "006B"}],
                "groups": [
                    {**directors, "users": [{"id": "006B", "fullName": "Zoë"}, {"id": "006C"}]},
                    {"groupId": "g2", "groupName": "Nobody"},
                    {"groupId": "g3", "users": []},
                ],
            },
        },
        {"id": "p2", "approvers": {"users": []}},
        {"id": "p3"},
    )
    own = {"billApprovalPolicyId": "p1"}
    assert lines(run.records["bill_approval_policy_approvers"]) == [
        {**own, "position": 1, "userId": "006A", "fullName": "Noor"},
        {**own, "position": 2, "userId": "006B"},
        {**own, "position": 3, **directors, "userId": "006B", "fullName": "Zoë"},
        {**own, "position": 4, **directors, "userId": "006C"},
        {**own, "position": 5, "groupId": "g2", "groupName": "Nobody"},
        {**own, "position": 6, "groupId": "g3"},
    ]
    assert run.warnings == []


def test_odd_parts_of_an_approver_are_kept(of_policies):
    """What has another type, is new, or would be called the same as something else."""
    users = [{"id": "006A", "userId": "006B"}, {"id": 7}, {"id": "006C", "role": "CFO"}]
    run = of_policies({"id": "p1", "approvers": {"groups": [{"groupId": 1, "groupName": "Directors", "users": users}]}})
    own = {"billApprovalPolicyId": "p1", "groupName": "Directors"}
    assert lines(run.records["bill_approval_policy_approvers"]) == [
        {**own, "position": 1, "userId": "006B", "_unknown_fields": {"groupId": 1, "id": "006A"}},
        {**own, "position": 2, "_unknown_fields": {"groupId": 1, "userId": 7}},
        {**own, "position": 3, "userId": "006C", "_unknown_fields": {"groupId": 1, "role": "CFO"}},
    ]


@pytest.mark.parametrize("approvers", [[], "nobody", {"users": {}, "groups": "none"}, {"groups": [5]}])
def test_approvers_of_another_shape_stay_with_their_policy(of_policies, approvers):
    run = of_policies({"id": "p1", "approvers": approvers})
    assert run.records["bill_approval_policy_approvers"] == []
    (row,) = run.records["bill_approval_policies"]
    assert row["_unknown_fields"]


# All of them, as the emulator has them


def test_the_lists_of_the_books_arrive_as_tables(tap, company):
    streams = {
        *("bill_approval_policy_rules", "bill_approval_policy_approvers", "organization_price_plan_terms"),
        *("spend_transaction_reviews", "spend_transaction_accounting_transactions"),
    }
    with Emulator(company=company, credentials=Credentials(is_sync_token=False)) as emulator:
        run = tap(settings(emulator, **emulator.spend_credentials), select=streams)
        asked = sorted(request.path.rpartition("/")[2] for request in emulator.requests)
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert asked == ["current", "login", "logout", "policies", "price-plan", "transactions"]
    assert run.records.keys() == streams
    own = {"organizationId": company.organization_id}
    transactions = company.spend.rows("transactions")
    for stream, array in {
        "spend_transaction_reviews": "reviews",
        "spend_transaction_accounting_transactions": "accountingIntegrationTransactions",
    }.items():
        expected = [
            {
                **own,
                "transactionUuid": row["uuid"],
                "position": position,
                **line,
                "parentUpdatedTime": row["updatedTime"],
            }
            for row in transactions
            for position, line in enumerate(row.get(array, []), 1)
        ]
        assert sorted(run.records[stream], key=spelled) == sorted(expected, key=spelled)
        assert expected
    (plan,) = EXTRAS["organization_price_plan"].rows(company, "")
    never = {"parentUpdatedTime": None}
    assert run.records["organization_price_plan_terms"] == [
        {**own, "pricePlanId": plan["id"], "position": position, **term, **never}
        for position, term in enumerate(plan["planTerms"], 1)
    ]
    policies = company.rows("bill_approval_policies")
    assert sorted(run.records["bill_approval_policy_rules"], key=spelled) == sorted(
        (
            {
                **own,
                "billApprovalPolicyId": policy["id"],
                "rulePosition": 1,
                "position": 1,
                "key": rule["key"],
                "op": rule["op"],
                **rule["values"][0],
                **never,
            }
            for policy in policies
            for rule in policy["rules"]
        ),
        key=spelled,
    )
