"""Stream maps: the SDK's, with mistakes found before anything is sent, and failures reported in one line."""

from __future__ import annotations

import ast
import copy
import fnmatch
import typing as t

from singer_sdk.exceptions import MappingError
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.mapper import CustomStreamMap, PluginMapper, RemoveRecordTransform, SameRecordTransform

from tap_bill.api.errors import BillError, ConfigurationError
from tap_bill.singer.decimals import NUMBER, DecimalColumns, kinds, with_decimals

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from singer_sdk.mapper import StreamMap

NO_EXPRESSIONS: t.Final = frozenset({"__alias__", "__else__", "__key_properties__", "__source__"})
"""Entries of a stream's map that are no expressions."""

GIVEN: t.Final = frozenset({"_", "record", "config", "__stream_name__", "__original_stream_name__"})
"""Names that every expression may use, besides columns and functions."""


class Removed(RemoveRecordTransform):
    """Removes the rows of a stream, and not the lines and parts that come with them."""

    def get_filter_result(self, record: dict[str, t.Any]) -> bool:
        """Let the lines and parts of every record be written."""
        del record
        return True


class Unchanged(dict[str, "list[StreamMap]"]):
    """The maps of streams whose rows stay as they are, each made when it is first asked for: few runs need them all."""

    def __init__(self, streams: Iterable[Stream], config: Mapping[str, t.Any]) -> None:
        super().__init__()
        self._streams = {stream.name: stream for stream in streams}
        self._config = config

    def __missing__(self, name: str) -> list[StreamMap]:
        stream = self._streams[name]
        same = SameRecordTransform(name, _selected_schema(stream), stream.primary_keys, flattening_options=None)
        self[name] = [_ours(stream, same, {}, self._config)]
        return self[name]


def make(config: Mapping[str, t.Any], streams: Collection[Stream], logger: logging.Logger) -> PluginMapper:
    """Make the stream maps of a tap.

    Args:
        config: the tap's settings; it stays as it is, though the SDK takes out of it what it has understood.
        streams: all of them, with the catalog applied.
        logger: the tap's.

    Raises:
        ConfigurationError: with a line for each mistake.
    """
    try:
        mapper = PluginMapper(copy.deepcopy(dict(config)), logger)
        if not config.get("stream_maps") and not mapper.flattening_options.enabled:
            mapper.stream_maps = Unchanged(streams, config)
            return mapper
        for stream in streams:
            mapper.register_raw_stream_schema(stream.name, _selected_schema(stream), stream.primary_keys)
    except (MappingError, NotImplementedError) as error:
        raise ConfigurationError(f"stream_maps is not valid: {error}") from None
    except Exception as error:  # noqa: BLE001 - the SDK's flattening stumbles over unusual schemas in many ways
        why = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"stream_maps or flattening cannot work with the catalog's schemas ({why}).") from None
    wanted = (stream for stream in streams if _is_selected(stream))
    if found := [line for stream in wanted for line in _mistakes(stream, mapper.stream_maps[stream.name], config)]:
        raise ConfigurationError("\n".join(found))
    mapper.stream_maps = {
        stream.name: [
            _ours(stream, each, expressions, config)
            for each, expressions in zip(
                mapper.stream_maps[stream.name], _expressions(stream.name, config), strict=True
            )
        ]
        for stream in streams
    }
    return mapper


def is_removed(stream: Stream, mapper: PluginMapper) -> bool:
    """Tell whether its maps leave no row of a stream."""
    found = mapper.stream_maps
    return not isinstance(found, Unchanged) and all(
        isinstance(each, RemoveRecordTransform) for each in found[stream.name]
    )


def has_filter(stream: Stream, config: Mapping[str, t.Any]) -> bool:
    """Tell whether rows of a stream may be left out."""
    return any("__filter__" in expressions for expressions in _expressions(stream.name, config))


def tables(stream: Stream, config: Mapping[str, t.Any]) -> list[str]:
    """Return the tables that hold every row of a stream once: a filter leaves some out, without a key they pile up."""
    if has_filter(stream, config):
        return []
    found = (each for each in stream.stream_maps if not isinstance(each, RemoveRecordTransform))
    return [each.stream_alias for each in found if each.transformed_key_properties]


def levels(maps: Iterable[StreamMap]) -> int | None:
    """Return to which depth rows need every column for these maps: nested objects count where they are flattened.

    An expression, or a flattened schema, must find a column also where BILL left the field out.
    None where the rows may be as BILL sent them.
    """
    found = [
        stream_map.flattening_options.max_level
        if stream_map.flattening_options and stream_map.flattening_enabled
        else 0
        for stream_map in maps
        if stream_map.flattening_enabled or isinstance(stream_map, CustomStreamMap)
    ]
    return max(found, default=None)


def _is_selected(stream: Stream) -> bool:
    return stream.mask.get((), True)


def _selected_schema(stream: Stream) -> dict[str, t.Any]:
    """Return the schema of the columns that the catalog selects.

    Of a stream that is not selected every column is kept: its key is needed, and a filter on it holds for its lines.
    """
    schema: dict[str, t.Any] = stream.effective_schema
    whole = not _is_selected(stream) or all(stream.mask.values())
    return schema if whole else get_selected_schema(stream.name, schema, stream.mask)


def _ours(
    stream: Stream, stream_map: StreamMap, expressions: Mapping[str, str], config: Mapping[str, t.Any]
) -> StreamMap:
    """Return a map of the SDK's, as the tap needs it."""
    if isinstance(stream_map, RemoveRecordTransform):
        return Removed(stream_map.stream_alias, stream_map.raw_schema, None, flattening_options=None)
    if isinstance(stream_map, CustomStreamMap):
        evaluate = stream_map._eval  # noqa: SLF001 - watched by the contract test
        vars(stream_map)["_eval"] = _telling(stream.name, evaluate)
        schema = stream_map.transformed_schema
        made = _amounts(expressions, stream_map.raw_schema.get("properties", {}))
        typed = {column: NUMBER for column in made if kinds(schema["properties"].get(column, {})) != {"number"}}
        stream_map.transformed_schema = {**schema, "properties": {**schema["properties"], **typed}}
    if config.get("use_singer_decimal"):
        floats = [column for column, expression in expressions.items() if expression.startswith("float(")]
        stream_map.transformed_schema = with_decimals(stream_map.transformed_schema, floats)
        columns = DecimalColumns(stream.name, stream_map.transformed_schema, stream.logger)
        if columns.names:
            vars(stream_map)["transform"] = _writing(columns, stream_map.transform)
    return stream_map


def _writing(
    columns: DecimalColumns, transform: Callable[[dict[str, t.Any]], dict[str, t.Any] | None]
) -> Callable[[dict[str, t.Any]], dict[str, t.Any] | None]:
    """Return a transformation that writes amounts as text in the end, so that expressions compute with numbers."""

    def writing(record: dict[str, t.Any]) -> dict[str, t.Any] | None:
        row = transform(record)
        return None if row is None else columns.row(row)

    return writing


def _amounts(expressions: Mapping[str, str], columns: Mapping[str, t.Any]) -> Iterator[str]:
    """Find the columns that are computed from amounts; the SDK takes them for text, unless there is such a column."""
    for column, expression in expressions.items():
        ends = [*_ends(ast.parse(expression).body[0])] if column != "__filter__" else []
        names = [column if end.id == "self" else end.id for end in ends if isinstance(end, ast.Name)]
        numbers = [end for end in ends if isinstance(end, ast.Constant) and type(end.value) in {int, type(None)}]
        types = [kinds(columns.get(name, {})) for name in names]
        if (
            {"number"} in types
            and len(types) + len(numbers) == len(ends)
            and all(type_ in ({"number"}, {"integer"}) for type_ in types)
        ):
            yield column


def _ends(node: ast.AST) -> Iterator[ast.AST]:
    """Find what the value of an expression is computed from, at the ends of its arithmetic."""
    match node:
        case ast.Expr(value=inner) | ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            yield from _ends(inner)
        case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
            yield from _ends(one)
            yield from _ends(other)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _ends(value)
        case _:
            yield node


def _telling(name: str, evaluate: Callable[..., t.Any]) -> Callable[..., t.Any]:
    """Return an evaluation that says in one line what failed, without the values that it failed for."""

    def telling(
        expr: str, expr_parsed: ast.Expr, record: dict[str, t.Any], property_name: str | None
    ) -> str | int | float:
        try:
            result: str | int | float = evaluate(expr, expr_parsed, record, property_name)
        except Exception as error:  # noqa: BLE001 - an expression may raise anything
            why = error.__cause__ if isinstance(error, MappingError) else error
            raise BillError(
                f"{name}: its stream map makes {property_name or '__filter__'} of {expr}, which failed for a row "
                f"({type(why).__name__}). A field that BILL leaves out is null there, and an amount is an exact "
                "Decimal: write for instance md5(email) if email else None, or float(amount) * 1.5."
            ) from None
        return result

    return telling


def _mistakes(stream: Stream, maps: Sequence[StreamMap], config: Mapping[str, t.Any]) -> Iterator[str]:
    """Find expressions of a stream's maps that cannot work for any row; the SDK has parsed them all."""
    custom = next((stream_map for stream_map in maps if isinstance(stream_map, CustomStreamMap)), None)
    if custom is None:
        return
    columns = {name for name in stream.effective_schema.get("properties", {}) if stream.mask["properties", name]}
    known = {*columns, *GIVEN, *custom.functions, *(("fake",) if custom.fake else ())}
    found = (item for expressions in _expressions(stream.name, config) for item in expressions.items())
    for column, expression in found:
        what = f"stream_maps: {column} of {stream.name} is {expression}"
        tree = ast.parse(expression).body[0]
        if not isinstance(tree, ast.Expr):
            yield f"{what}, which is not an expression"
            continue
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        inner = {node.id for node in names if not isinstance(node.ctx, ast.Load)}  # of a comprehension
        own = {"self"} if column in columns else set()
        if missing := {node.id for node in names} - known - inner - own:
            yield f"{what}, but there is no selected column and no function {', '.join(sorted(missing))}"


def _expressions(name: str, config: Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Return the expressions of each of the SDK's maps of a stream, by what is made of them.

    The first map is that of the stream itself, made of the last entry that is about it.
    """
    first: dict[str, t.Any] = {}
    others: list[dict[str, t.Any]] = []
    for key, entries in (config.get("stream_maps") or {}).items():
        given = entries if isinstance(entries, dict) else {}
        if fnmatch.fnmatch(name, given.get("__source__", key)):
            if "__source__" in given:
                others.append(given)
            else:
                first = given
    return [
        {
            column: text
            for column, text in given.items()
            if column not in NO_EXPRESSIONS and text not in {None, "__NULL__"}
        }
        for given in (first, *others)
    ]
