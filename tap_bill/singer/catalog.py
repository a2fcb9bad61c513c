"""Reads a user's catalog and simplifies it for the SDK, which expects less than JSON Schema allows."""

from __future__ import annotations

import typing as t

from singer_sdk.singerlib.catalog import Catalog

from tap_bill.api.errors import BillError

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def read(catalog: Mapping[str, t.Any] | None) -> Catalog | None:
    """Read a catalog, unless there is none or it has been read already.

    Raises:
        BillError: if it is not a catalog.
    """
    if catalog is None or isinstance(catalog, Catalog):
        return catalog
    try:
        streams = [{**entry, "schema": _plain(entry.get("schema"))} for entry in catalog["streams"]]
        return Catalog.from_dict({"streams": streams})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BillError(
            f"The catalog cannot be read ({type(error).__name__}: {error}); make a new one with tap-bill --discover."
        ) from None


_KEPT: t.Final = frozenset({"anyOf", "oneOf", "allOf", "properties", "items", "title", "description"})
"""What is kept of a schema without a type; the SDK's flattening takes any other list there for schemas."""


def _plain(schema: object) -> dict[str, t.Any]:
    """Return a schema in which every subschema is an object; one that is not, or is a reference, becomes `{}`."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return {}
    plain = {name: value for name, value in schema.items() if "type" in schema or name in _KEPT}
    if "properties" in plain:
        plain["properties"] = {name: _plain(spec) for name, spec in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = _plain(plain["items"])
    for name in ("anyOf", "oneOf", "allOf"):
        if name in plain:
            plain[name] = [_plain(spec) for spec in plain[name]]
    return plain
