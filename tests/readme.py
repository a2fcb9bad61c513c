"""The generated parts of README.md and docs/: `python` with this file writes them, a test compares them."""

from __future__ import annotations

import io
import json
import re
import tomllib
from collections import Counter
from contextlib import redirect_stdout
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import yaml

from bill_emulator import Company
from demo import landed
from demo.__main__ import BILLS
from tap_bill.api.stats import SYNC_AUDIT
from tap_bill.resources import RESOURCES, Changes
from tap_bill.settings import ALTERNATIVES, NEEDED, OAUTH, SETTINGS
from tap_bill.singer.audit import AuditStream
from tap_bill.singer.records import line_rows
from tap_bill.singer.streams import stream_classes
from tap_bill.tap import TapBill
from tap_bill.verify.assumptions import ASSUMPTIONS

PROJECT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
README = PROJECT / "README.md"
DOCS = PROJECT / "docs"
PAGES = [README, *sorted(DOCS.glob("*.md"))]
HUB = DOCS / "meltanohub.yml"
QUERIES = sorted((DOCS / "queries").glob("*.sql"))

BLOCK = re.compile(r"<!-- generated: (?P<name>[\w ]+) -->\n.*?<!-- end of \1 -->", re.DOTALL)

HOW = {
    Changes.DOCUMENTED: "what changed",
    Changes.ASSUMED: "what changed; whole if BILL refuses the filter",
    Changes.FILTER_ONLY: "what changed; whole if BILL ignores the filter",
    Changes.NONE: "whole",
}

PICTURED = (
    "vendors",
    "bills",
    "bill_line_items",
    "payments",
    "payment_bill_payments",
    "customers",
    "invoices",
    "invoice_line_items",
    "receivable_payments",
)
"""What the small picture of the tables shows."""


def table(*rows):
    head, *body = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([head, "| " + " | ".join("---" for _ in rows[0]) + " |", *body])


def fenced(language, text):
    return f"```{language}\n{text.strip()}\n```"


# Streams and columns


def streams():
    rows = [("Stream", "Area", "BILL object", "Key", "How it is read", "Requests", "Read")]
    found = {}
    for stream in stream_classes(RESOURCES):
        found.setdefault(stream.resource.name, []).append(stream)
    for resource in RESOURCES:
        main, *lines = found[resource.name]
        parent = resource.parent
        how = f"for each of `{parent.stream}` that is read" if parent else HOW[resource.changes]
        read = "by default" if resource.is_default else "**if selected**"
        rows.append(
            (linked(main.name), resource.area.value, resource.bill_object, key(main), how, cost(resource), read)
        )
        rows += [
            (
                f"&nbsp;&nbsp;{linked(line.name)}",
                "",
                ", ".join(f"`{array.path}[]`" for array in line.lines.arrays),
                key(line),
                f"with `{main.name}`",
                "0",
                read,
            )
            for line in lines
        ]
    how = "one row for each table that was read whole"
    rows.append((linked(SYNC_AUDIT), "The tap's own", "", key(AuditStream), how, "0", "by default"))
    return table(*rows)


def follow():
    rows = [("A change in", "is followed to", "by")]
    for resource in RESOURCES:
        for touch in resource.touches:
            fields = ", ".join(f"`{path}`" for path in touch.fields)
            rows.append((f"`{resource.name}`", f"`{touch.stream}`", fields))
    return table(*rows)


def linked(stream):
    return f"[`{stream}`](columns.md#{stream})"


def cost(resource):
    """How many requests a read takes."""
    paging, times = resource.paging, len(resource.queries)
    each = f"{times} for each" if resource.parent else str(times)
    if resource.parent:
        return each
    return f"{each} per {paging.most} rows" if paging and paging.most else each


def key(stream):
    return ", ".join(f"`{column}`" for column in stream.primary_keys)


def schema_of(name):
    return json.loads((PROJECT / "schemas" / f"{name}.json").read_text(encoding="utf-8"))


def columns():
    """A section for each table, in the order of the table of streams."""
    arrays = {resource: {array.path for lines in resource.lines for array in lines.arrays} for resource in RESOURCES}
    sections = [section(name, arrays[resource]) for resource in RESOURCES for name in resource.tables]
    return "\n\n".join([*sections, section(SYNC_AUDIT, ())])


def section(name, elsewhere):
    schema = schema_of(name)
    rows = [("Column", "Type", "What it is"), *described(schema["properties"], elsewhere)]
    return f"## {name}\n\n{schema['description']}\n\n{table(*rows)}"


def described(properties, elsewhere, path=""):
    """The columns and what is inside them, except for arrays that have a table of their own."""
    for name, column in properties.items():
        full = f"{path}{name}"
        yield f"`{full}`", type_of(column), column["description"].replace("|", "\\|")
        yield from described(column.get("properties", {}), elsewhere, f"{full}.")
        if full not in elsewhere:
            yield from described(column.get("items", {}).get("properties", {}), elsewhere, f"{full}[].")


def type_of(column):
    kinds = column["type"] if isinstance(column["type"], list) else [column["type"]]
    (kind,) = (kind for kind in kinds if kind != "null")
    return column.get("format", kind)


def picture():
    """The relations between the most used tables: keys from the resource table, references from the schemas."""
    classes = {stream.name: stream for stream in stream_classes(RESOURCES)}
    lines = ["erDiagram"]
    for name in PICTURED:
        owners = {resource.name: resource.parent_key for resource in RESOURCES if name in resource.tables[1:]}
        columns = schema_of(name)["properties"]
        references = {
            found[1]: column
            for column, spec in columns.items()
            if (found := re.search(r"joins (\w+)\.id\b", spec["description"])) and found[1] in PICTURED
        }
        lines += [f"  {other} ||--o{{ {name} : {column}" for other, column in (references | owners).items()]
    for name in PICTURED:
        lines += [f"  {name} {{", *(f"    string {column} PK" for column in classes[name].primary_keys), "  }"]
    return fenced("mermaid", "\n".join(lines))


# Settings and Meltano


def settings():
    rows = [("Setting", "Default", "What it is", "Allowed")]
    for name, setting in SETTINGS.items():
        default = required(name) or code(setting.schema.get("default"))
        secret = " *Secret.*" if setting.schema.get("secret") else ""
        rows.append((f"`{name}`", default, setting.schema["description"] + secret, setting.allowed))
    return table(*rows)


def required(name):
    """For which way to sign in a setting is required; empty where it is for none."""
    other = f", or `{ALTERNATIVES[name]}`" if name in ALTERNATIVES else ""
    if name == "organization_id":
        return f"**required**{other}, unless only Spend & Expense is read by its own token"
    if name in OAUTH:
        return "**required** for OAuth"
    return f"**required** for a session{other}" if name in NEEDED else ""


def code(value):
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def kind(setting):
    """What Meltano calls the type of a setting."""
    kinds = {"number": "decimal"}
    kind_ = setting.schema["type"]
    return "date_iso8601" if setting.schema.get("format") == "date-time" else kinds.get(kind_, kind_)


def declared(name, setting):
    sensitive = ", sensitive: true" if setting.schema.get("secret") else ""
    return f"    - {{name: {name}, kind: {kind(setting)}{sensitive}}}"


MELTANO = """
requires_meltano: ">=4,<5"
project_id: bill-pipeline          # any name
default_environment: prod
send_anonymous_usage_stats: false
environments:
- name: prod
plugins:
  extractors:
  - name: tap-bill
    namespace: tap_bill
    pip_url: /path/to/tap-bill     # your checkout of this repository, or git+https://<its address>@<commit>
    executable: tap-bill
    load_schema: bill              # the schema in the warehouse
    capabilities: [{capabilities}]
    settings:
{settings}
    select:                        # streams that cost many requests are read only if they are named here as well
    - "*.*"
  loaders:
  - name: target-postgres
    namespace: target_postgres
    pip_url: meltanolabs-target-postgres==0.8.1
    executable: target-postgres
    dialect: postgres
    settings:
    - {{name: host, kind: string}}
    - {{name: port, kind: integer}}
    - {{name: user, kind: string}}
    - {{name: password, kind: string, sensitive: true}}
    - {{name: database, kind: string}}
    - {{name: default_target_schema, kind: string, value: $MELTANO_EXTRACT__LOAD_SCHEMA}}
    - {{name: validate_records, kind: boolean, value: false}}
    - {{name: sanitize_null_text_characters, kind: boolean, value: true}}
"""


def meltano():
    return fenced(
        "yaml",
        MELTANO.format(
            capabilities=", ".join(sorted(capability.value for capability in TapBill.capabilities)),
            settings="\n".join(declared(*item) for item in SETTINGS.items()),
        ),
    )


def hub():
    """The definition for MeltanoHub: what this repository's own project declares, and what the Hub asks besides."""
    text = (PROJECT / "meltano.yml").read_text(encoding="utf-8")
    (extractor,) = yaml.safe_load(text)["plugins"]["extractors"]
    about = project()
    settings = [
        {
            "name": name,
            "label": setting.schema["title"],
            "kind": kind(setting),
            **({"sensitive": True} if setting.schema.get("secret") else {}),
            **({"value": setting.schema["default"]} if "default" in setting.schema else {}),
            "description": setting.schema["description"],
        }
        for name, setting in SETTINGS.items()
    ]
    definition = {
        "name": extractor["name"],
        "namespace": extractor["namespace"],
        "variant": extractor["name"],
        "label": "BILL (Bill.com)",
        "description": about["description"],
        "domain_url": "https://www.bill.com",
        "pip_url": about["name"],
        "executable": extractor["executable"],
        "keywords": ["api", "meltano_sdk", *about["keywords"]],
        "maintenance_status": "beta",
        "quality": "unknown",
        "supported_python_versions": pythons(about),
        **{name: extractor[name] for name in ("capabilities", "select", "settings_group_validation")},
        "settings": settings,
    }
    head = "# For MeltanoHub; made by tests/readme.py. Add `repo` with the address of the repository.\n"
    return head + yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=120)


# What is true of the project


def project():
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pythons(about):
    """The versions of Python that a project names."""
    return [found[1] for text in about["classifiers"] if (found := re.search(r":: (3\.\d+)$", text))]


def badges():
    about = project()
    (sdk,) = (found[1] for text in about["dependencies"] if (found := re.match(r"singer-sdk\S*~=(\d+\.\d+)", text)))
    wanted = {
        "License": (about["license"], "LICENSE"),
        "Python": (" | ".join(pythons(about)), "pyproject.toml"),
        "Singer SDK": (sdk, "pyproject.toml"),
    }
    return "\n".join(
        f"[![{name}: {value}](https://img.shields.io/badge/{badge(name)}-{badge(value)}-blue)]({file})"
        for name, (value, file) in wanted.items()
    )


def badge(text):
    return quote(text.replace("-", "--"))


def demo():
    """The end of what `make demo` prints, reckoned from its company's books."""
    company = Company(seed=7, bills=BILLS, irregularities=True)
    text = io.StringIO()
    with redirect_stdout(text):
        landed.print_rows(rows_of(company))
        print("=")
        landed.print_aging(aging(company))
    first, last = text.getvalue().split("\n=\n")
    return fenced("text", first.splitlines()[0] + "\n" + last.rstrip().split("\n\nEvery total")[0])


def rows_of(company):
    """How many rows of each table the demo loads."""
    counts = {}
    for resource in RESOURCES:
        if resource.is_default:
            spend = resource.name.removeprefix("spend_").replace("_", "-")
            records = company.spend.rows(spend) if resource.is_spend else company.rows(resource.name)
            counts[resource.name] = len(records)
            for lines in resource.lines:
                counts[lines.name] = sum(1 for record in records for _ in line_rows(lines, record))
    return counts | {SYNC_AUDIT: len(counts)}


def aging(company, day=landed.AS_OF):
    """What the company owes on a day: per currency the amounts of `landed.AGES`."""
    currencies = {vendor["id"]: vendor["billCurrency"] for vendor in company.rows("vendors")}
    owed = Counter()
    for bill in company.rows("bills"):
        if bill["dueAmount"] and not bill["archived"]:
            days = (day - date.fromisoformat(bill["dueDate"])).days if "dueDate" in bill else 0
            age = 0 if days <= 0 else min(1 + (days - 1) // 30, 4)
            for column in (age, 5):
                owed[currencies[bill["vendorId"]], column] += bill["dueAmount"]
    return [
        (currency, [owed[currency, column] or Decimal(0) for column in range(6)])
        for currency in sorted({currency for currency, _ in owed})
    ]


# What is assumed about BILL


def assumptions():
    rows = [("Name", "What is assumed", "Source", "Confidence", "If it is false, tap-bill", "Then")]
    rows += [
        (f"`{each.name}`", each.assumed, each.source, each.confidence.value, each.coping, each.effect.value)
        for each in ASSUMPTIONS
    ]
    return table(*rows)


# Analytics

DBT = PROJECT / "dbt_bill"
VARIABLE = re.compile(r"^  (?:# )?(bill_\w+): (.*?) +# (.*)$", re.MULTILINE)


def described_models(folder):
    """What the files of a folder of dbt_bill say of its models, by name."""
    files = sorted((DBT / "models" / folder).glob("*.yml"))
    found = [model for file in files for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]]
    return {model["name"]: model for model in sorted(found, key=lambda model: model["name"])}


def grain(model):
    """The columns that tell the rows of a model apart, by its test."""
    for test in model.get("data_tests", ()):
        if "dbt_bill.unique_key" in test:
            return test["dbt_bill.unique_key"]["arguments"]["columns"]
    return []


def models(folder):
    described = described_models(folder)
    rows = [
        (f"`{name}`", ", ".join(f"`{column}`" for column in grain(model)), " ".join(model["description"].split()))
        for name, model in described.items()
    ]
    return table(("Model", "One row for each", "What it says"), *rows) if rows else "There are none yet."


def variables():
    found = VARIABLE.findall((DBT / "dbt_project.yml").read_text(encoding="utf-8"))
    rows = [(f"`{name}`", f"`{default}`" if " " not in default else default, text) for name, default, text in found]
    return table(("Variable", "Default", "What it is"), *rows)


def tie_outs():
    """The first comment of each test, which says what is compared."""
    files = sorted((DBT / "tests" / "tie_out").glob("*.sql"))
    said = {file.stem: file.read_text(encoding="utf-8").splitlines()[0].removeprefix("-- ") for file in files}
    return table(("Test", "What it compares"), *((f"`{name}`", text) for name, text in said.items()))


def mart_picture():
    """The marts, and what their columns join."""
    lines = ["erDiagram"]
    for name, model in described_models("marts").items():
        for column in model["columns"]:
            lines += [
                f"  {other} ||--o{{ {name} : {column['name']}"
                for other in re.findall(r"\bjoins (\w+)\.\w+", column["description"])
            ]
    return fenced("mermaid", "\n".join(lines))


# Putting it in its place

BLOCKS = {
    "assumptions": assumptions,
    "badges": badges,
    "demo": demo,
    "meltano": meltano,
    "picture": picture,
    "streams": streams,
    "follow": follow,
    "columns": columns,
    "settings": settings,
    "marts": lambda: models("marts"),
    "controls": lambda: models("controls"),
    "variables": variables,
    "tie outs": tie_outs,
    "mart picture": mart_picture,
    **{f"query {path.stem}": lambda path=path: fenced("sql", path.read_text(encoding="utf-8")) for path in QUERIES},
}


def regenerated(text):
    """Return a page with every generated part as the code has it now."""
    return BLOCK.sub(lambda found: block(found["name"]), text)


def block(name):
    return f"<!-- generated: {name} -->\n{BLOCKS[name]()}\n<!-- end of {name} -->"


if __name__ == "__main__":
    HUB.write_text(hub(), encoding="utf-8")
    for page in PAGES:
        page.write_text(regenerated(page.read_text(encoding="utf-8")), encoding="utf-8")
