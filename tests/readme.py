"""The README's tables, made from the code: `python tests/readme.py` writes them, a test compares them."""

from __future__ import annotations

import re
from pathlib import Path

from tap_bill.resources import RESOURCES, Changes
from tap_bill.settings import ALTERNATIVES, NEEDED, SETTINGS
from tap_bill.singer.streams import stream_classes

README = Path(__file__).parents[1] / "README.md"

HOW = {
    Changes.DOCUMENTED: "what changed",
    Changes.ASSUMED: "what changed; whole if BILL refuses the filter",
    Changes.FILTER_ONLY: "what changed; whole if BILL ignores the filter",
    Changes.NONE: "whole",
}


def table(*rows):
    head, *body = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([head, "| " + " | ".join("---" for _ in rows[0]) + " |", *body])


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
        rows.append((f"`{main.name}`", resource.area.value, resource.bill_object, key(main), how, cost(resource), read))
        rows += [
            (
                f"&nbsp;&nbsp;`{line.name}`",
                "",
                f"`{'[].'.join(line.lines.array)}[]`",
                key(line),
                f"with `{main.name}`",
                "0",
                "by default",
            )
            for line in lines
        ]
    return table(*rows)


def cost(resource):
    """How many requests a read takes."""
    paging, times = resource.paging, len(resource.queries)
    each = f"{times} for each" if resource.parent else str(times)
    if resource.parent:
        return each
    return f"{each} per {paging.most} rows" if paging and paging.most else each


def key(stream):
    return ", ".join(f"`{column}`" for column in stream.primary_keys)


def settings():
    rows = [("Setting", "Default", "What it is", "Allowed")]
    for name, setting in SETTINGS.items():
        default = required(name) if name in NEEDED else code(setting.schema.get("default"))
        secret = " *Secret.*" if setting.schema.get("secret") else ""
        rows.append((f"`{name}`", default, setting.schema["description"] + secret, setting.allowed))
    return table(*rows)


def required(name):
    other = ALTERNATIVES.get(name)
    return f"**required**{f', or `{other}`' if other else ''}, unless only Spend & Expense is read"


def code(value):
    return "" if value is None else f"`{value}`"


TABLES = {"streams": streams, "settings": settings}


def with_tables(text):
    """Return the README with every generated table as the code has it now."""
    for name, make in TABLES.items():
        block = f"<!-- {name}: made by tests/readme.py -->\n{make()}\n<!-- end of {name} -->"
        text, count = re.subn(
            rf"<!-- {name}: .*?<!-- end of {name} -->", lambda _, block=block: block, text, flags=re.DOTALL
        )
        assert count == 1, f"README.md needs one place for the table of {name}"
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
