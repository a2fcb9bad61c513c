"""The contract of every table: the files in schemas/ and the records in fixtures/.

Nothing here imports the tap: schemas and fixtures are the promise, the tap has to
keep it. Streams are found by their files, so that a new stream needs no edit here:

* a *line table* (an array inside another stream's records) is a schema with the
  column ``parentUpdatedTime``; its description names the array it comes from,
  as in "One row per entry of bills.billLineItems: ...";
* every other schema is a *main table*; what BILL is asked for once for each record
  of another stream has a column that the tap adds for that record's id;
* Spend & Expense (``spend_...``) is identified by ``uuid``, all else by ``id``.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

pytestmark = pytest.mark.filterwarnings("error")

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE.parents[1] / "schemas"
FIXTURES = HERE.parent / "fixtures"

ORGANIZATION = "00801TAPBILLFIXTURE1"
UNKNOWN = "_unknown_fields"
TIMES = ("createdTime", "updatedTime")
TIME_SPELLING = "2026-04-11T09:30:00.000+00:00"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

TOP_LEVEL = ["description", "type", "properties", "required"]
KEYWORDS = {
    "string": {"type", "description", "format"},
    "number": {"type", "description"},
    "integer": {"type", "description"},
    "boolean": {"type", "description"},
    "object": {"type", "description", "properties"},
    "array": {"type", "description", "items"},
}
# Whatever their names say, BILL sends these as free text and as instants.
TEXT_DATES = {"lastPaymentDate"}
# Minor units, as BILL sends them.
TEXT_AMOUNTS = {"originalCurrencyAmount"}
INSTANT_DATES = {"lastUpdatedDate", "enrollDate", "declineDate"}
MONEY = re.compile(r"(amount|price|quantity|percentage|percent|total|cost|exchangeRate)$", re.IGNORECASE)
# Leaves that are sensitive wherever they stand.
SENSITIVE_NAMES = {
    *("taxId", "routingNumber", "nameOnAccount", "last4CardNumber", "dateOfBirth"),
    *("email", "remitEmail", "remittanceEmail", "phone", "fax"),
    *("firstName", "lastName", "fullName"),
    *("address", "billingAddress", "shippingAddress", "mailingAddress"),
    *("line1", "line2", "city", "stateOrProvince", "zipOrPostalCode"),
    *("country", "countryName", "contact", "companyOwner", "bankAccount"),
}
SENSITIVE = "Sensitive: "
ADDED = "Added by the tap and part of the key"
# Told apart by what they belong to.
UNIDENTIFIED = {"bills_pending_approval", "card_account_users", "spend_budget_members", "vendor_audit_trail"}
UNIDENTIFIED |= {"vendor_bank_accounts"}
# BILL answers with one object, not with a list, so there is no second record.
SINGLE_OBJECTS = {"organization", "organization_price_plan", "vendor_bank_accounts"}
# Columns for the entry around a nested one, and the field that they are taken from; "" is its position.
ENCLOSING = {
    "payment_vendor_credits": {"billPaymentId": "id"},
    "spend_transaction_custom_field_values": {"customFieldUuid": "uuid"},
    "spend_reimbursement_custom_field_values": {"customFieldUuid": "uuid"},
    "bill_approval_policy_rules": {"rulePosition": "", "key": "key", "op": "op"},
    "bill_approval_policy_approvers": {"groupId": "groupId", "groupName": "groupName"},
}
# Of these, the rows also carry all fields of the entry around them, which has no table of its own.
FLATTENED = {"bill_approval_policy_rules", "bill_approval_policy_approvers"}
# Fields that are called otherwise in another array of the same table.
RENAMED = {"bill_approval_policy_approvers": {"id": "userId"}}

LINE_SOURCE = re.compile(r"One row per entry of (\w+)\.([\w.\[\]]+)(?: and ([\w.\[\]]+))?: ")
JOINS = re.compile(r"joins (\w+)\.id \(ids begin (\w+)\)")
PREFIX = re.compile(r"\(ids begin (\w+)\)")
KNOWN_VALUES = re.compile(r"Known values: (\w+(?:, \w+)*)(?:; others may appear\.|; BILL lists no others\.)")


class Node(NamedTuple):
    """One property (or array item) of a schema, wherever it is nested."""

    path: str  # such as bills.billLineItems[].amount
    name: str  # "" for an array item
    schema: dict[str, Any]

    @property
    def kind(self) -> str:
        """The JSON type, null aside."""
        declared = self.schema.get("type")
        return str(declared[0] if isinstance(declared, list) else declared)


class NumberText(str):
    """A number exactly as it is spelt in a file."""

    __slots__ = ()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"written twice in one object: {twice}"
    return dict(pairs)


def _schema_text(stream: str) -> str:
    return (SCHEMAS / f"{stream}.json").read_bytes().decode("utf-8")


def _schema(stream: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_schema_text(stream), object_pairs_hook=_no_duplicates)
    return loaded


def _fixture_text(stream: str) -> str:
    return (FIXTURES / f"{stream}.json").read_bytes().decode("utf-8")


def _fixture(stream: str, *, as_text: bool = False) -> Any:
    """Read a fixture with numbers as ``Decimal``/``int``, or as they are spelt."""
    return json.loads(
        _fixture_text(stream),
        parse_float=NumberText if as_text else Decimal,
        parse_int=NumberText if as_text else int,
        object_pairs_hook=_no_duplicates,
    )


def _main_records(stream: str, *, as_text: bool = False) -> list[dict[str, Any]]:
    """Take the records out of BILL's answer: an envelope, a bare array or one object."""
    body = _fixture(stream, as_text=as_text)
    if isinstance(body, list):
        return body
    lists: list[list[dict[str, Any]]] = [v for v in body.values() if isinstance(v, list)]
    return lists[0] if len(body) == 1 and lists else [body]


def _records(stream: str) -> list[dict[str, Any]]:
    """Return the records as the tap emits them."""
    if stream in LINES:
        lines: list[dict[str, Any]] = _fixture(stream)
        return lines
    added = _added(stream)
    records = []
    for position, record in enumerate(_main_records(stream), 1):
        own = {
            column: _main_records(parent)[0][_identifier(parent)] if parent else position
            for column, parent in added.items()
        }
        records.append({"organizationId": ORGANIZATION, **own, **record})
    return records


def _added(stream: str) -> dict[str, str]:
    """Return the key columns that are not BILL's, with the stream each joins; empty for a position."""
    added = {}
    for name, column in _schema(stream)["properties"].items():
        if name != "organizationId" and ADDED in column["description"]:
            joined = re.search(r"joins (\w+)\.(?:id|uuid)", column["description"])
            added[name] = joined[1] if joined else ""
    return added


def _identifier(stream: str) -> str:
    """Return the field that identifies BILL's records of a stream."""
    return "uuid" if stream.startswith("spend_") else "id"


def _children(node: Node) -> Iterator[Node]:
    for name, schema in node.schema.get("properties", {}).items():
        yield Node(f"{node.path}.{name}", name, schema)
    if "items" in node.schema:
        yield Node(f"{node.path}[]", "", node.schema["items"])


def _below(node: Node) -> Iterator[Node]:
    for child in _children(node):
        yield child
        yield from _below(child)


def _nodes(stream: str) -> Iterator[Node]:
    """Every property and array item of a stream's schema, outermost first."""
    return _below(Node(stream, "", _schema(stream)))


def _documented(stream: str) -> Iterator[Node]:
    """Every property and array item that BILL documents: all but the tap's own."""
    for node in _nodes(stream):
        own = {"organizationId", UNKNOWN, *_added(stream)}
        if node.path not in {f"{stream}.{name}" for name in own}:
            yield node


def _values(record: Any, path: list[str]) -> Iterator[Any]:
    """Every value of a record at a path; ``name[]`` steps into each array entry."""
    if not path:
        yield record
        return
    head, rest = path[0], path[1:]
    name, depth = head.removesuffix("[]"), head.endswith("[]")
    if not isinstance(record, dict) or name not in record:
        return
    for entry in record[name] if depth else [record[name]]:
        yield from _values(entry, rest)


def _at(stream: str, node: Node) -> list[Any]:
    path = node.path.split(".")[1:]
    return [value for record in _records(stream) for value in _values(record, path)]


def _report(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


# What the tap says of its own reads: BILL sends nothing like it.
OWN = {"sync_audit"}
STREAMS = sorted({path.stem for path in SCHEMAS.glob("*.json")} - OWN)
LINES = [s for s in STREAMS if "parentUpdatedTime" in _schema(s).get("properties", {})]
MAINS = [s for s in STREAMS if s not in LINES]


def every(streams: Iterable[str]) -> Callable[[Callable[[str], None]], Callable[[], None]]:
    """Hold a test against each of these streams, as one test: pytest needs longer for 1,400 than they take."""

    def of(test: Callable[[str], None]) -> Callable[[], None]:
        def for_each() -> None:
            for stream in streams:
                test(stream)

        return for_each

    return of


every_stream, every_main, every_line = every(STREAMS), every(MAINS), every(LINES)


def _formats() -> FormatChecker:
    """Check dates and instants in exactly the spelling that the tap emits."""
    checker = FormatChecker(formats=())

    @checker.checks("date", raises=ValueError)
    def date(value: object) -> bool:
        if not isinstance(value, str):
            return True
        dt.date.fromisoformat(value)
        return DATE.fullmatch(value) is not None

    @checker.checks("date-time", raises=ValueError)
    def date_time(value: object) -> bool:
        if not isinstance(value, str):
            return True
        dt.datetime.fromisoformat(value)
        return TIME.fullmatch(value) is not None

    return checker


# --- files -------------------------------------------------------------------------


def test_there_are_both_kinds_of_tables() -> None:
    """The files were found and sorted into main and line tables."""
    assert "bills" in MAINS
    assert "bill_line_items" in LINES


def test_every_schema_has_a_fixture_and_every_fixture_a_schema() -> None:
    """Neither folder holds anything without its partner."""
    assert {p.name for p in SCHEMAS.iterdir()} == {f"{s}.json" for s in [*STREAMS, *OWN]}
    assert sorted(p.name for p in FIXTURES.iterdir()) == [f"{s}.json" for s in STREAMS]


@every_stream
def test_files_are_plain_json(stream: str) -> None:
    """UTF-8, indented by two spaces, no tab, one newline at the end, no name twice."""
    for folder, text in (
        (SCHEMAS.name, _schema_text(stream)),
        (FIXTURES.name, _fixture_text(stream)),
    ):
        where = f"{folder}/{stream}.json"
        json.loads(text, object_pairs_hook=_no_duplicates)
        assert text.endswith("\n"), f"{where}: no newline at the end"
        assert not text.endswith("\n\n"), f"{where}: more than one newline at the end"
        assert "\t" not in text, f"{where}: tab"
        assert "\r" not in text, f"{where}: carriage return"
        depth = 0
        for number, line in enumerate(text.splitlines(), 1):
            bare = line.strip()
            depth -= bare[:1] in {"}", "]"}
            assert line == "  " * depth + bare, f"{where}:{number}: indentation"
            depth += bare[-1:] in {"{", "["}


def test_the_table_of_the_taps_own_is_described() -> None:
    """It has a key, and every column says what it is."""
    schema = _schema("sync_audit")
    Draft202012Validator.check_schema(schema)
    assert list(schema) == TOP_LEVEL
    assert schema["required"] == ["organizationId", "stream", "startedAt"]
    assert all(column["description"] for column in schema["properties"].values())


# --- the shape of a schema -----------------------------------------------------------


@every_stream
def test_schema_is_valid(stream: str) -> None:
    """A validator of Draft 2020-12 takes the schema."""
    Draft202012Validator.check_schema(_schema(stream))


@every_stream
def test_top_level(stream: str) -> None:
    """Exactly a description, the type, the properties and the key."""
    schema = _schema(stream)
    assert list(schema) == TOP_LEVEL, f"{stream}.json"
    assert schema["type"] == "object", f"{stream}.json"


@every_stream
def test_only_plain_keywords(stream: str) -> None:
    """No enum, pattern, default, title, x- key or the like at any level."""
    problems = []
    for node in _nodes(stream):
        allowed = KEYWORDS.get(node.kind, set())
        if node.path == f"{stream}.{UNKNOWN}":
            allowed = {"type", "description", "additionalProperties"}
        problems += [f"{node.path}: {key}" for key in set(node.schema) - allowed]
    _report(problems)


@every_stream
def test_only_the_key_is_not_nullable(stream: str) -> None:
    """Key columns have one plain type, everything else also allows null."""
    schema = _schema(stream)
    problems = []
    for node in _nodes(stream):
        is_key = node.path in {f"{stream}.{column}" for column in schema["required"]}
        expected: list[Any] = [[kind, "null"] for kind in KEYWORDS]
        if is_key:
            expected = ["integer" if node.name == "position" else "string"]
        if node.schema.get("type") not in expected:
            problems.append(f"{node.path}: type {node.schema.get('type')}")
    _report(problems)


@every_stream
def test_objects_and_arrays_are_typed(stream: str) -> None:
    """Objects name their fields and arrays the type of their entries."""
    problems = []
    for node in _nodes(stream):
        if node.kind == "array" and node.schema.get("items", {}).get("type") not in (
            ["object", "null"],
            ["string", "null"],
        ):
            problems.append(f"{node.path}: items are not typed")
        # An array entry may be an object of unknown shape (bills.payments).
        if node.kind == "object" and node.name not in {"", UNKNOWN} and not node.schema.get("properties"):
            problems.append(f"{node.path}: object without properties")
    _report(problems)


@every_main
def test_key_and_order_of_a_main_table(stream: str) -> None:
    """The key first, the two times and the unknown fields last."""
    schema = _schema(stream)
    names = list(schema["properties"])
    key = [name for name in schema["required"] if name != "organizationId"]
    assert key, f"{stream}.json: required"
    assert schema["required"] == ["organizationId", *key], f"{stream}.json: required"
    assert stream in UNIDENTIFIED or _identifier(stream) in key, f"{stream}.json: required"
    assert names[: len(key) + 1] == ["organizationId", *key], f"{stream}.json: first columns"
    last = [name for name in TIMES if name in names] + [UNKNOWN]
    assert names[-len(last) :] == last, f"{stream}.json: last columns"


@every_line
def test_key_and_order_of_a_line_table(stream: str) -> None:
    """Organization, parent, own identifier, position first; parent's time near the end."""
    schema = _schema(stream)
    names = list(schema["properties"])
    parent, *arrays = _source(stream)
    parent_key, own = names[1], _identifier(stream)
    around = [name for name, field in ENCLOSING.get(stream, {}).items() if field in {"", "id", "uuid"}]
    assert schema["required"] in (
        ["organizationId", parent_key, *around, own],
        ["organizationId", parent_key, "position"],
    ), f"{stream}.json: required"
    assert parent_key.endswith(own.title()), f"{stream}.json: {parent_key}"
    entries = [_entry(parent, steps)["properties"] for steps in arrays]
    if stream.startswith("spend_"):
        assert ("uuid" in entries[0]) == ("uuid" in schema["required"]), f"{stream}.json: required"
    expected = ["organizationId", parent_key, *around]
    expected += [own] if own in entries[0] else []
    expected += ["position"]
    assert names[: len(expected)] == expected, f"{stream}.json: first columns"
    last = [name for name in TIMES if name in names] + ["parentUpdatedTime", UNKNOWN]
    assert names[-len(last) :] == last, f"{stream}.json: last columns"
    joined = re.search(r"joins (\w+\.\w+)", schema["properties"][parent_key]["description"])
    assert joined, f"{stream}.{parent_key}: does not say what it joins"
    assert joined[1] == f"{parent}.{own}", f"{stream}.{parent_key}: joins {joined[1]}"


@every_line
def test_line_table_types_its_fields_as_the_parent_does(stream: str) -> None:
    """The array stays in the parent; both places have the same fields and types."""

    def shape(node: dict[str, Any]) -> Any:
        """Return the schema without wording and without the key's missing null."""
        if isinstance(node.get("type"), str):
            node = {**node, "type": [node["type"], "null"]}
        bare = {k: v for k, v in node.items() if k != "description"}
        if "properties" in bare:
            bare["properties"] = {k: shape(v) for k, v in bare["properties"].items()}
        if "items" in bare:
            bare["items"] = shape(bare["items"])
        return bare

    parent, *arrays = _source(stream)
    own = dict(_schema(stream)["properties"])
    for column in ("organizationId", list(own)[1], "position", "parentUpdatedTime", UNKNOWN):
        own.pop(column)
    expected = {}
    for steps in arrays:
        entry = _entry(parent, steps)["properties"]
        expected |= {RENAMED.get(stream, {}).get(k, k): shape(v) for k, v in entry.items()}
        around = _entry(parent, steps[:-1])["properties"]
        if stream in FLATTENED and len(steps) > 1:
            assert {*ENCLOSING[stream].values()} - {""} == around.keys() - {steps[-1]}, f"{stream}.json"
        for column, field in ENCLOSING.get(stream, {}).items() if len(steps) > 1 else ():
            expected[column] = shape(around[field]) if field else {"type": ["integer", "null"]}
    assert {k: shape(v) for k, v in own.items()} == expected, f"{stream}.json"


@every_stream
def test_types_of_numbers_and_times(stream: str) -> None:
    """Decimals are numbers; dates and instants have their format, nothing else has."""
    problems = []
    for node in _nodes(stream):
        found = node.schema.get("format")
        expected = found
        if node.name.endswith("Time") or node.name in INSTANT_DATES:
            expected = "date-time"
        elif node.name.endswith("Date") and node.kind == "string":
            expected = None if node.name in TEXT_DATES else "date"
        if found != expected or found not in {None, "date", "date-time"}:
            problems.append(f"{node.path}: format {found}, expected {expected}")
        if MONEY.search(node.name) and node.name not in TEXT_AMOUNTS and node.kind != "number":
            problems.append(f"{node.path}: {node.kind}, expected number")
    _report(problems)


PUBLISHED = json.loads((HERE / "published_types.json").read_text(encoding="utf-8"))
"""JSON types of the fields in the example answers that BILL publishes, by stream; no values."""
UNPUBLISHED = {"customer_bank_accounts", "customer_contacts", "login_organizations", "payment_terms"}


@every(PUBLISHED)
def test_types_are_as_wide_as_published(stream: str) -> None:
    """A number that BILL shows with a fraction is no integer."""
    kinds = {node.path.removeprefix(f"{stream}."): node.kind for node in _nodes(stream)}
    wider = {"integer": {"integer", "number"}}
    problems = [
        f"{stream}.{path}: {kinds.get(path)}, published as {published}"
        for path, published in PUBLISHED[stream].items()
        if kinds.get(path) not in wider.get(published, {published})
    ]
    _report(problems)


def test_most_streams_are_published() -> None:
    """The table is not empty by mistake; what it lacks is documented in words only."""
    assert set(MAINS) - set(PUBLISHED) == UNPUBLISHED
    assert sum(map(len, PUBLISHED.values())) == 928


def test_every_published_array_of_objects_is_a_table() -> None:
    """What BILL sends as a list inside a record is a table, at every level; lists of plain values stay columns."""
    published = {
        (stream, path)
        for stream, fields in PUBLISHED.items()
        for path, kind in fields.items()
        if kind == "array" and fields[f"{path}[]"] == "object"
    }
    tables = set()
    for stream in LINES:
        parent, *arrays = _source(stream)
        tables |= {(parent, "[].".join(steps)) for steps in arrays}
        if stream in FLATTENED:
            tables |= {(parent, steps[0]) for steps in arrays if len(steps) > 1}
    assert len(published) == 30
    assert tables == published


@every_stream
def test_unknown_fields_column(stream: str) -> None:
    """The last column takes whatever BILL adds."""
    column = _schema(stream)["properties"][UNKNOWN]
    assert column["type"] == ["object", "null"], f"{stream}.{UNKNOWN}"
    assert column["additionalProperties"] is True, f"{stream}.{UNKNOWN}"


# --- wording -------------------------------------------------------------------------


@every_stream
def test_everything_is_described(stream: str) -> None:
    """A sentence at every level, and one or two of them for the table."""
    schema = _schema(stream)
    problems = []
    for path, text in [
        (f"{stream}.json", schema["description"]),
        *((node.path, node.schema.get("description", "")) for node in _nodes(stream)),
    ]:
        sentence = text.removeprefix(SENSITIVE)
        if not re.fullmatch(r"\S(.*\S)?\.", sentence) or "  " in sentence:
            problems.append(f"{path}: not a sentence: {text!r}")
        if text == sentence and not sentence[:1].isupper():
            problems.append(f"{path}: begins in lower case: {text!r}")
    if len(re.findall(r"\.(?= [A-Z]|$)", schema["description"])) not in {1, 2}:
        problems.append(f"{stream}.json: table described in more than two sentences")
    _report(problems)


@every_stream
def test_times_name_their_spelling(stream: str) -> None:
    """The columns that bookmarks and joins compare as text say how they are spelt."""
    _report(
        [
            f"{stream}.{name}: does not show the spelling {TIME_SPELLING}"
            for name, schema in _schema(stream)["properties"].items()
            if name in {*TIMES, "parentUpdatedTime"}
            and not ("UTC" in schema["description"] and TIME_SPELLING in schema["description"])
        ]
    )


@every_line
def test_line_table_says_how_to_join(stream: str) -> None:
    """The description names the parent, the join and the present lines."""
    schema = _schema(stream)
    parent, *_ = _source(stream)
    parent_key = list(schema["properties"])[1]
    present = "parentUpdatedTime = the parent's updatedTime selects exactly the present lines"
    if "updatedTime" not in _schema(parent)["properties"]:
        present = "BILL tells no updatedTime of the parent, so a line that was removed stays"
    for part in (f"Joins {parent} on organizationId and {parent_key} = {parent}.{_identifier(parent)}", present):
        assert part in schema["description"], f"{stream}.json: does not say {part!r}"


@every_stream
def test_sensitive_columns_are_marked(stream: str) -> None:
    """Marked at the property, below a marked object, and mentioned above it."""
    problems = []
    paths = {node.path for node in _nodes(stream)}
    for node in _nodes(stream):
        text = node.schema["description"]
        marked = text.startswith(SENSITIVE)
        beside = node.path.removesuffix("accountNumber") + "routingNumber"
        of_a_bank = node.name == "accountNumber" and beside in paths
        if not marked and (of_a_bank or node.name in SENSITIVE_NAMES):
            problems.append(f"{node.path}: is not marked")
        if marked:
            problems += [
                f"{child.path}: is not marked, unlike the object around it"
                for child in _below(node)
                if not child.schema["description"].startswith(SENSITIVE)
            ]
        elif node.name and "ensitive" not in text:
            problems += [
                f"{node.path}: does not mention that {child.path} is sensitive"
                for child in _below(node)
                if child.schema["description"].startswith(SENSITIVE)
            ]
    _report(problems)


@every_stream
def test_joins_exist_and_prefixes_agree(stream: str) -> None:
    """What a description joins is a main table, whose own ids begin the same."""
    problems = []
    for node in _nodes(stream):
        text = node.schema["description"]
        problems += [
            f"{node.path}: joins {target}.{column}, which does not exist"
            for target, column in re.findall(r"\bjoins? (\w+)\.(\w+)", text)
            if target not in STREAMS or column not in _schema(target)["properties"]
        ]
        for target, prefix in JOINS.findall(text):
            if target not in STREAMS:
                continue
            own = PREFIX.search(_schema(target)["properties"]["id"]["description"])
            if not own or own[1] != prefix:
                problems.append(f"{node.path}: ids of {target} do not begin {prefix}")
    _report(problems)


# --- fixtures ------------------------------------------------------------------------


@every_stream
def test_fixture_fits_schema(stream: str) -> None:
    """Every record passes the schema, formats included, with its key populated."""
    validator = Draft202012Validator(_schema(stream), format_checker=_formats())
    records = _records(stream)
    assert records, f"fixtures/{stream}.json is empty"
    _report(
        [
            f"fixtures/{stream}.json: record {number}: {error.json_path}: {error.message}"
            for number, record in enumerate(records, 1)
            for error in validator.iter_errors(record)
        ]
    )
    keys = [tuple(r[column] for column in _schema(stream)["required"]) for r in records]
    assert len(set(keys)) == len(keys), f"fixtures/{stream}.json: a key occurs twice"


@every_stream
def test_fixture_holds_no_field_that_the_schema_does_not_name(stream: str) -> None:
    """At every level; only array entries of unknown shape are free."""

    def undeclared(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
        if isinstance(value, list):
            for entry in value:
                yield from undeclared(entry, schema["items"], f"{path}[]")
        elif isinstance(value, dict) and "properties" in schema:
            for name, inner in value.items():
                if name not in schema["properties"]:
                    yield f"{path}.{name}"
                else:
                    below = schema["properties"][name]
                    yield from undeclared(inner, below, f"{path}.{name}")

    schema = _schema(stream)
    _report([p for r in _records(stream) for p in undeclared(r, schema, stream)])


@every_main
def test_first_record_populates_everything(stream: str) -> None:
    """Every documented field at every level, and two entries in every array."""
    first = _main_records(stream)[0]
    problems = []
    for node in _documented(stream):
        values = list(_values(first, node.path.split(".")[1:]))
        if not values or any(v is None or v in ("", [], {}) for v in values):
            problems.append(f"{node.path}: not populated in fixtures/{stream}.json")
        if node.kind == "array" and any(len(v or []) != 2 for v in values):
            problems.append(f"{node.path}: not two entries in fixtures/{stream}.json")
        around = node.path.rpartition(".")[0].split(".")[1:]
        if node.name and len(values) != len(list(_values(first, around))):
            problems.append(f"{node.path}: missing from an entry in fixtures/{stream}.json")
    _report(problems)


@every([s for s in MAINS if s not in SINGLE_OBJECTS])
def test_second_record_has_only_what_is_always_there(stream: str) -> None:
    """BILL leaves out what is not populated, so the second record does too."""
    records = _main_records(stream)
    assert len(records) == 2, f"fixtures/{stream}.json"
    key = set(_schema(stream)["required"]) - {"organizationId", *_added(stream)}
    always = key | {"archived", *TIMES} & set(_schema(stream)["properties"])
    assert set(records[1]) == always, f"fixtures/{stream}.json"


def test_fixtures_are_of_one_organization() -> None:
    """All fixtures belong together."""
    assert [r["id"] for r in _main_records("organization")] == [ORGANIZATION]
    for stream in LINES:
        assert {r["organizationId"] for r in _records(stream)} == {ORGANIZATION}, stream


@every_stream
def test_fixture_values_are_as_described(stream: str) -> None:
    """Ids begin as the descriptions say and states are among the known ones."""
    problems = []
    for node in _nodes(stream):
        text = node.schema["description"]
        prefix, known = PREFIX.search(text), KNOWN_VALUES.search(text)
        if "Known values" in text and not known:
            problems.append(f"{node.path}: known values are not listed as elsewhere")
        for value in _at(stream, node):
            if prefix and not re.fullmatch(rf"{prefix[1]}[0-9A-Za-z]{{17}}", value):
                problems.append(f"{node.path}: {value!r} is no id beginning {prefix[1]}")
            if known and value not in known[1].split(", "):
                problems.append(f"{node.path}: {value!r} is not a known value")
    _report(problems)


@every_stream
def test_digits_survive(stream: str) -> None:
    """Decimals come back digit for digit, trailing zeros included."""
    spelt: list[str] = []

    def decimal(text: str) -> Decimal:
        spelt.append(text)
        value = Decimal(text)
        assert str(value) == text, f"fixtures/{stream}.json: {text} became {value}"
        return value

    json.loads(_fixture_text(stream), parse_float=decimal)
    if any(node.kind == "number" for node in _nodes(stream)):
        assert any(repr(float(text)) != text for text in spelt), (
            f"fixtures/{stream}.json: no number would lose digits as a float"
        )


def test_fixtures_hold_the_awkward_amounts() -> None:
    """A trailing zero, an amount of eleven digits before the point, one cent parts."""
    text = "".join(_fixture_text(stream) for stream in MAINS)
    for amount in ("0.10", "99999999999.99", "1234567.80"):
        assert re.search(rf": {re.escape(amount)}\b", text), amount
    assert not text.isascii()


# --- line tables ---------------------------------------------------------------------


def _source(stream: str) -> tuple[Any, ...]:
    """Return the parent stream of a line table, and for each of its arrays those that lead to it."""
    found = LINE_SOURCE.match(_schema(stream)["description"])
    assert found, f"{stream}.json: description does not name the array"
    assert found[1] in MAINS, f"{stream}.json: {found[1]} is not a main table"
    return found[1], *(array.split("[].") for array in found.groups()[1:] if array)


def _entry(parent: str, steps: list[str]) -> dict[str, Any]:
    """Return the schema of the entries of an array, or of the record where there are no steps."""
    entry = _schema(parent)
    for step in steps:
        for name in step.split("."):
            assert name in entry["properties"], f"{parent}.json has no {step}"
            entry = entry["properties"][name]
        entry = entry["items"]
    return entry


@every_line
def test_line_fixture_is_what_the_parent_implies(stream: str) -> None:
    """One row per entry, in order, numbers spelt as in the parent."""
    parent, *arrays = _source(stream)
    parent_key = list(_schema(stream)["properties"])[1]
    expected = []
    for record in _main_records(parent, as_text=True):
        found = [line for steps in arrays for line in _lines(stream, record, steps)]
        expected += [
            {
                "organizationId": ORGANIZATION,
                parent_key: record[_identifier(parent)],
                "position": NumberText(position),
                "parentUpdatedTime": record.get("updatedTime"),
                **line,
            }
            for position, line in enumerate(found, 1)
        ]
    assert expected, f"fixtures/{parent}.json implies no row"
    assert _fixture(stream, as_text=True) == expected, f"fixtures/{stream}.json"


def _lines(stream: str, record: dict[str, Any], steps: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the entries of an array of a record, with the columns for the entry around them."""
    name, *inner = steps
    *outside, last = name.split(".")
    for step in outside:
        record = record.get(step, {})
    renamed = RENAMED.get(stream, {})
    for place, entry in enumerate(record.get(last, []), 1):
        if not inner:
            yield entry
            continue
        around = {column: entry[field] if field else NumberText(place) for column, field in ENCLOSING[stream].items()}
        for line in entry[inner[0]]:
            yield {**around, **{renamed.get(field, field): value for field, value in line.items()}}
