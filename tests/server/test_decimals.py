"""`use_singer_decimal`: amounts of columns travel as text that no loader can take for floating point."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path

import canned
import pytest
from jsonschema import Draft7Validator
from runs import settings

SCHEMAS = Path(__file__).parents[2] / "schemas"
DECIMAL = {"type": ["string", "null"], "format": "x-singer.decimal", "precision": 38, "scale": 9}
TIMES = '"createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-06-30T23:00:00.000+00:00"'

SENT = {
    "12345678901234.5678": "12345678901234.5678",
    "0.10": "0.10",
    "-0.005": "-0.005",
    "12345678901234567890123456789.123456789": "12345678901234567890123456789.123456789",
    "-99999999999999999999999999999.999999999": "-99999999999999999999999999999.999999999",
    "99999999999999999999999999999": "99999999999999999999999999999",
    "1.2340000000000": "1.234000000",
    "1e2": "100",
    "1.5E+3": "1500",
    "25e-4": "0.0025",
    "7": "7",
    "0": "0",
    "-0": "0",
    "-0.00": "0.00",
    "0e-30": "0.000000000",
    "0e+30": "0",
}
"""What BILL may send for an amount, and how it travels."""

TOO_LONG = [
    "0.1234567891",
    "100000000000000000000000000000",
    "-100000000000000000000000000000.5",
    "123456789012345678901234567890.123456789",
    "1e29",
    "1e-10",
    "1e+999999999",
    "1e-999999999",
]
"""What no column holds without rounding."""


def bills(*amounts):
    """A list of bills with these amounts, digit for digit."""
    rows = ", ".join(f'{{"id": "00n{number}", {TIMES}, "amount": {amount}}}' for number, amount in enumerate(amounts))
    return {"/v3/bills": f'{{"results": [{rows}]}}'}


def schemas(run):
    return {message["stream"]: message["schema"] for message in run.of("SCHEMA")}


def without_description(spec):
    return {name: value for name, value in spec.items() if name != "description"}


def digits(run, stream):
    """The rows of a stream; numbers with a fraction or an exponent as the text that was written."""
    messages = [json.loads(line, parse_float=Digits) for line in run.stdout.splitlines()]
    return [each["record"] for each in messages if each["type"] == "RECORD" and each["stream"] == stream]


class Digits(str):
    """A number, not a text."""

    __slots__ = ()

    def __eq__(self, other):
        return isinstance(other, Digits) and str(self) == str(other)

    __hash__ = str.__hash__


def warning(stream, *fields):
    return (
        f"{stream}: BILL sends fields that this version does not know in this form: {', '.join(fields)}. "
        "Their values are kept in _unknown_fields; look for a newer tap-bill."
    )


@pytest.mark.measured
def test_every_amount_that_fits_is_the_text_of_its_digits(tap, httpserver):
    config = canned.serve(httpserver, bills(*SENT)) | {"use_singer_decimal": True}
    run = tap(config, select={"bills"})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert [row["amount"] for row in run.records["bills"]] == [*SENT.values()]
    assert not any(isinstance(row["amount"], Digits) for row in digits(run, "bills"))
    assert without_description(schemas(run)["bills"]["properties"]["amount"]) == DECIMAL
    numbers = tap({**config, "use_singer_decimal": False}, select={"bills"})
    assert [row["amount"] for row in numbers.records["bills"]] == [Decimal(text) for text in SENT]
    assert schemas(numbers)["bills"]["properties"]["amount"]["type"] == ["number", "null"]


def test_an_amount_with_more_digits_is_not_rounded(tap, httpserver):
    config = canned.serve(httpserver, bills("1.10", *TOO_LONG)) | {"use_singer_decimal": True}
    run = tap(config, select={"bills"})
    assert (run.exit_code, run.errors) == (0, [])
    first, *rows = run.records["bills"]
    assert (first["amount"], "_unknown_fields" in first) == ("1.10", False)
    assert [row["amount"] for row in rows] == [None] * len(TOO_LONG)
    assert [row["_unknown_fields"] for row in rows] == [{"amount": Decimal(text)} for text in TOO_LONG]
    assert run.warnings == [warning("bills", "amount")], "once"


def test_it_joins_what_is_unknown_already(tap, httpserver):
    answers = bills('1, "dueAmount": 0.12345678901, "tomorrow": 1.5, "dueDate": 7')
    run = tap(canned.serve(httpserver, answers) | {"use_singer_decimal": True}, select={"bills"})
    (row,) = digits(run, "bills")
    assert row["_unknown_fields"] == {"tomorrow": Digits("1.5"), "dueDate": 7, "dueAmount": Digits("0.12345678901")}
    assert (row["amount"], row["dueAmount"]) == ("1", None)
    assert run.warnings == [warning("bills", "dueDate", "tomorrow"), warning("bills", "dueAmount")]


@pytest.mark.parametrize("body", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_answer(tap, httpserver, body):
    config = canned.serve(httpserver, bills("1.10", body)) | {"use_singer_decimal": True, "max_retries": 0}
    run = tap(config, select={"bills"})
    assert run.exit_code == 1
    assert run.records["bills"] == []
    assert not any("Traceback" in line for line in run.stderr.splitlines())


# Every table


STREAMS = {"vendors", "bills", "bill_line_items", "customers", "items", "vendor_credits", "roles"}


@pytest.fixture
def both(tap, emulator):
    """A run with numbers and one with decimal text, of the same company."""
    numbers = tap(settings(emulator), select=STREAMS)
    return numbers, tap(settings(emulator, use_singer_decimal=True), select=STREAMS)


def test_nothing_but_the_form_of_columns_is_another(both):
    numbers, texts = both
    for stream, schema in schemas(numbers).items():
        columns = schema["properties"]
        amounts = {name for name, spec in columns.items() if "number" in spec["type"]}
        assert schemas(texts)[stream] == {
            **schema,
            "properties": {
                name: {**DECIMAL, "description": spec["description"]} if name in amounts else spec
                for name, spec in columns.items()
            },
        }
        expected = copy.deepcopy(digits(numbers, stream))
        for row in expected:
            row |= {name: str(row[name]) for name in amounts & row.keys() if row[name] is not None}
        assert digits(texts, stream) == expected, stream
        for row in texts.records[stream]:
            Draft7Validator(schemas(texts)[stream]).validate(row)
    assert {"amount", "paidAmount", "exchangeRate"} <= {
        name for row in texts.records["bills"] for name in row if "Amount" in name or name in {"amount", "exchangeRate"}
    }
    nested = [line["amount"] for row in digits(texts, "bills") for line in row["billLineItems"]]
    assert nested
    assert all(isinstance(amount, Digits) for amount in nested), "nested amounts stay numbers"
    assert all(isinstance(row["amount"], str) for row in texts.records["bill_line_items"])


def test_discovery_says_so_and_no_catalog_decides_it(tap, emulator):
    found = json.loads(tap({"use_singer_decimal": True, **settings(emulator)}, "--discover").stdout)
    columns = {entry["tap_stream_id"]: entry["schema"]["properties"] for entry in found["streams"]}
    for stream, properties in columns.items():
        file = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))["properties"]
        for name, spec in properties.items():
            assert (spec.get("format") == "x-singer.decimal") == ("number" in file[name]["type"]), (stream, name)
    found["streams"] = [entry for entry in found["streams"] if entry["tap_stream_id"] in {"bills", "bill_line_items"}]
    texts = tap(settings(emulator, use_singer_decimal=True), catalog=found)
    numbers = tap(settings(emulator), catalog=found)
    assert without_description(schemas(texts)["bills"]["properties"]["amount"]) == DECIMAL
    assert schemas(numbers)["bills"]["properties"]["amount"]["type"] == ["number", "null"]
    assert [str(row["amount"]) for row in numbers.records["bills"]] == [row["amount"] for row in texts.records["bills"]]
    assert numbers.warnings == texts.warnings == []


def test_the_environment_and_a_mistake(tap, emulator):
    run = tap(settings(emulator), "--config", "ENV", select={"bills"}, env={"TAP_BILL_USE_SINGER_DECIMAL": "true"})
    assert all(isinstance(row["amount"], str) for row in run.records["bills"])
    run = tap(settings(emulator, use_singer_decimal="yes"), select={"bills"})
    assert (run.exit_code, run.errors) == (1, ["use_singer_decimal is not valid; allowed: true or false"])


def test_another_setting_writes_lists_again_that_are_read_whole(tap, emulator, company):
    """`recurring_bills` has no clock, so the state keeps what was last written of it."""
    select = {"recurring_bills", "recurring_bill_line_items"}
    state, written = None, []
    for decimal in (False, False, True, True, False):
        run = tap(settings(emulator, use_singer_decimal=decimal), select=select, state=state)
        state = run.state
        written.append({type(row["amount"]) for row in run.records["recurring_bill_line_items"]})
        assert len(run.records["recurring_bills"]) in {0, company.count("recurring_bills")}
    assert written == [{Decimal}, set(), {str}, set(), {Decimal}]


# Stream maps and flattening


def test_expressions_compute_with_numbers_and_their_amounts_are_text(tap, httpserver):
    maps = {
        "bills": {
            "total": "amount",
            "twice": "amount * 2",
            "paidAmount": "amount - 1",
            "open": "-(amount if amount else 0) + (dueAmount or 0)",
            "as_text": "str(amount)",
            "rough": "float(amount) * 1.5",
            "large": "amount > 1",
            "description": "'about ' + str(int(amount))",
            "__filter__": "amount < 100",
        },
        "owed": {
            "__source__": "bills",
            "__else__": None,
            "__key_properties__": ["id"],
            "id": "id",
            "cents": "amount * 100",
        },
    }
    answers = bills('12345.10, "dueAmount": 2', '12.10, "dueAmount": 0.40', "0.333333333")
    config = canned.serve(httpserver, answers) | {"stream_maps": maps}
    run = tap({**config, "use_singer_decimal": True}, select={"bills"})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    columns = schemas(run)["bills"]["properties"]
    found = {name for name, spec in columns.items() if spec.get("format") == "x-singer.decimal"}
    assert found >= {"amount", "total", "twice", "paidAmount", "open"}
    assert not found & {"as_text", "rough", "large", "description"}
    first, second = digits(run, "bills")
    wanted = ("amount", "total", "twice", "paidAmount", "open", "as_text", "rough", "large", "description")
    assert [first[name] for name in wanted] == [
        "12.10", "12.10", "24.20", "11.10", "-11.70", "12.10", Digits("18.15"), True, "about 12",
    ]  # fmt: skip
    assert (second["amount"], second["twice"], second["open"]) == ("0.333333333", "0.666666666", "-0.333333333")
    assert without_description(schemas(run)["owed"]["properties"]["cents"]) == DECIMAL
    assert [row["cents"] for row in digits(run, "owed")] == ["1234510.00", "1210.00", "33.333333300"]
    numbers = tap(config, select={"bills"})
    assert schemas(numbers)["bills"]["properties"]["twice"] == {"type": ["number", "null"]}
    assert digits(numbers, "bills")[0]["twice"] == Digits("24.20")


def test_a_second_table_made_of_the_same_rows_computes_with_numbers_too(tap, httpserver):
    maps = {"owed": {"__source__": "bills", "twice": "amount * 2"}}
    config = canned.serve(httpserver, bills("12.10")) | {"stream_maps": maps, "use_singer_decimal": True}
    run = tap(config, select={"bills"})
    assert [(row["amount"], row["twice"]) for row in run.records["owed"]] == [("12.10", "24.20")]
    assert [row["amount"] for row in run.records["bills"]] == ["12.10"]


@pytest.mark.measured
def test_what_an_expression_makes_is_not_rounded(tap, httpserver):
    maps = {"bills": {"third": "amount / 3"}}
    config = canned.serve(httpserver, bills("1.0", "3.0")) | {"stream_maps": maps, "use_singer_decimal": True}
    run = tap(config, select={"bills"})
    first, second = digits(run, "bills")
    assert (first["third"], first["_unknown_fields"]) == (None, {"third": Digits("0." + "3" * 28)})
    assert (second["third"], second["_unknown_fields"]) == ("1.0", None)
    assert run.warnings == [warning("bills", "third")]


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize(("made", "flat"), [(None, False), ("id", False), ("'{'", True)])
def test_what_does_not_fit_is_not_lost_where_nothing_can_keep_it(tap, httpserver, made, flat):
    config = canned.serve(httpserver, bills("1.10", "1e29"))
    config |= {"stream_maps": {"bills": {"_unknown_fields": made}}}
    config |= {"use_singer_decimal": True, "flattening_enabled": flat}
    run = tap(config, select={"bills"})
    assert run.exit_code == 1
    assert [row["amount"] for row in run.records["bills"]] in (["1.10"], [])
    (line,) = [line for line in run.errors if "amount" in line]
    assert line == (
        "bills: amount of a row has more digits than DECIMAL(38, 9) holds, and _unknown_fields, which would keep it, "
        "is not selected or is changed by a stream map; leave _unknown_fields as it is."
    )
    assert "Traceback" not in run.stderr


def test_columns_that_flattening_makes_are_amounts_too(tap, httpserver):
    vendors = (
        f'{{"results": [{{"id": "00901", {TIMES}, "balance": {{"amount": 10.50}}, "tomorrow": 2.50}},'
        f' {{"id": "00902", {TIMES}, "balance": {{"amount": 0.12345678901}}, "tomorrow": 2.50}},'
        f' {{"id": "00903", {TIMES}, "balance": {{"amount": 1e29}}}}, {{"id": "00904", {TIMES}}}]}}'
    )
    config = canned.serve(httpserver, {"/v3/vendors": vendors}) | {"use_singer_decimal": True}
    nested = tap(config, select={"vendors"})
    assert [row.get("balance") for row in digits(nested, "vendors")] == [
        {"amount": Digits("10.50")}, {"amount": Digits("0.12345678901")}, {"amount": Digits("1E+29")}, None,
    ]  # fmt: skip
    assert nested.warnings == [warning("vendors", "tomorrow")]
    flat = tap({**config, "flattening_enabled": True}, select={"vendors"})
    assert without_description(schemas(flat)["vendors"]["properties"]["balance__amount"]) == DECIMAL
    rows = flat.records["vendors"]
    assert [row["balance__amount"] for row in rows] == ["10.50", None, None, None]
    assert [json.loads(row["_unknown_fields"] or "null", parse_float=str) for row in rows] == [
        {"tomorrow": "2.50"},
        {"tomorrow": "2.50", "balance__amount": "0.12345678901"},
        {"balance__amount": "1E+29"},
        None,
    ]
    assert flat.warnings == [warning("vendors", "tomorrow"), warning("vendors", "balance__amount")]


def test_amounts_inside_flattened_arrays_stay_numbers(tap, company, emulator):
    run = tap(settings(emulator, flattening_enabled=True, use_singer_decimal=True), select={"bills"})
    sent = {row["id"]: [str(line["amount"]) for line in row["billLineItems"]] for row in company.rows("bills")}
    for row in run.records["bills"]:
        lines = json.loads(row["billLineItems"], parse_float=Digits, parse_int=Digits)
        assert [line["amount"] for line in lines] == [Digits(amount) for amount in sent[row["id"]]]
