"""Every documented field of every resource, from the schema files: dotted path (`[]` marks an array) and type."""

from __future__ import annotations

import json
from pathlib import Path

from bill_emulator.resources import RESOURCES

SCHEMAS = Path(__file__).parents[2] / "schemas"
ADDED = ("organizationId", "_unknown_fields")  # by the tap


def _leaves(schema, path):
    if schema.get("properties"):
        for name, inner in schema["properties"].items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif schema.get("items"):
        yield from _leaves(schema["items"], f"{path}[]")
    else:
        (kind,) = [each for each in schema["type"] if each != "null"] if path != "id" else ["string"]
        yield path, schema.get("format", kind)


def documented(name):
    """The fields of one resource."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    schema["properties"] = {name: inner for name, inner in schema["properties"].items() if name not in ADDED}
    return dict(_leaves(schema, ""))


DOCUMENTED = {name: documented(name) for name in RESOURCES}
