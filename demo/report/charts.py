"""Draws the charts of the report as SVG that stands inside a page: no script, no fonts of its own, no addresses.

Every figure is written beside its bar, from the decimal; floats only say how long the bar is. Shades differ in
lightness, and what is expected rather than fixed is hatched, so that nothing depends on colour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

WIDTH = 400
"""Units that a chart is wide; on the page it takes the width of its column."""

INK, SOFT, RULE = "#1c2733", "#5a6673", "#c9d1d9"
SOLID, PALER, PALEST, HATCHED = "#1f4e79", "#6f8dab", "#d5dde5", "url(#hatched)"
"""Fills; the page defines the pattern of the last."""

OLDER = ("#b4c3d1", "#e0ab73", "#cd7f3b", "#a3541a", "#6b2d0c")
"""Shades of the ages of debts: blue is not due; the older, the darker."""

PADDING = {"left": 0, "right": 0, "top": 2, "bottom": 2}
GAP = 10
CHARACTER = 6.9
"""Units that a character of the text is wide, with the widest of the usual fonts."""
LONGEST = 175
"""Units that names to the left of a chart may take; longer ones are cut."""


@dataclass(frozen=True)
class Bar:
    """A bar: its parts from left to right, each with its fill, and what is written beside it."""

    name: str
    parts: tuple[tuple[Decimal | int, str], ...]
    text: str


def bars(title: str, rows: Sequence[Bar], *, above: bool = False) -> Markup:
    """Draw a bar per row, with its name to the left and its amount to the right.

    Args:
        title: what the chart shows, for those who do not see it.
        rows: the bars, from top to bottom.
        above: write names and amounts above the bars, which leaves room for long names.
    """
    pitch, thick = (35, 9) if above else (23, 13)
    names, texts = min(_room(row.name for row in rows), LONGEST), _room(row.text for row in rows)
    left, right = (0, WIDTH) if above else (names, WIDTH - texts)
    segments, words, ends = [], [], [0.0]
    for place, row in enumerate(rows):
        middle = place * pitch + (22 if above else pitch / 2)
        start = 0.0
        for size, fill in row.parts:
            if size:
                edge = 0.8 if fill == HATCHED else 0
                segments.append({"from": start, "to": start + float(size), "fill": fill, "outline": edge, "y": middle})
                start += float(size)
                ends.append(start)
        words.append({"name": row.name, "text": row.text, "y": place * pitch + 9 if above else middle})
    scale = alt.Scale(domain=[min(ends), max(ends) or 1], range=[left, right], nice=False, zero=False)
    height = len(rows) * pitch
    line = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height], nice=False))
    layers = [
        alt.Chart(_data(segments), mark=alt.MarkDef("bar", size=thick, stroke=SOLID)).encode(
            x=alt.X("from:Q", axis=None, scale=scale),
            x2=alt.X2("to"),
            y=line,
            fill=alt.Fill("fill:N", scale=None),
            strokeWidth=alt.StrokeWidth("outline:Q", scale=None),
        ),
        _names(words, line, (WIDTH - texts if above else names) - GAP),
        _texts(words, line),
    ]
    return _svg(layers, height, title, [(row.name, row.text) for row in rows])


def columns(title: str, names: Sequence[str], values: Sequence[int | None], texts: Sequence[str]) -> Markup:
    """Draw a column for each month, with its figure above it."""
    height = 110
    found = [
        {"month": name, "value": value or 0, "text": text}
        for name, value, text in zip(names, values, texts, strict=True)
    ]
    month = alt.X("month:O", sort=None, axis=_months_axis())
    value = alt.Y("value:Q", axis=None)
    bar = alt.MarkDef("bar", color=SOLID, size=20)
    text = alt.MarkDef("text", baseline="bottom", dy=-3, fontSize=10, color=INK)
    layers = [
        alt.Chart(_data(found), mark=bar).encode(x=month, y=value),
        alt.Chart(_data(found), mark=text).encode(x=month, y=value, text=alt.Text("text:N")),
    ]
    return _svg(layers, height, title, list(zip(names, texts, strict=True)))


def months(title: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[Decimal], str]]) -> Markup:
    """Draw a row of small columns for each account; the first row, their total, has a scale of its own."""
    left = min(_room(name for name, _, _ in rows), LONGEST)
    right = WIDTH - _room(text for _, _, text in rows)
    high, pitch, head = 34, 28, 44
    step = (right - left) / len(names)
    scales = [_scale(rows[:1], high), _scale(rows[1:], pitch - 6)]
    bodies, words, rules = [], [], []
    for place, (name, amounts, text) in enumerate(rows):
        size, below = scales[min(place, 1)]
        bottom = (head if place == 0 else head + 12 + place * pitch) - below
        for month, value in enumerate(amounts):
            if value:
                at = left + month * step
                tip = bottom - float(value) * size
                fill = PALER if place else SOLID
                bodies.append({"x": at + 1.5, "x2": at + step - 1.5, "y": bottom, "y2": tip, "fill": fill})
        rules.append({"x": left, "x2": right, "y": bottom})
        words.append({"name": name, "text": text, "y": bottom - 7})
    height = (rules[-1]["y"] if rules else 0) + 18
    across = alt.Scale(domain=[0, WIDTH], range=[0, WIDTH], nice=False)
    down = alt.Scale(domain=[0, height], range=[0, height], nice=False)
    x, y = alt.X("x:Q", axis=None, scale=across), alt.Y("y:Q", axis=None, scale=down)
    ticks = [{"x": left + (place + 0.5) * step, "y": height - 9, "name": name[:1]} for place, name in enumerate(names)]
    layers = [
        alt.Chart(_data(bodies), mark=alt.MarkDef("rect")).encode(
            x=x, x2=alt.X2("x2"), y=y, y2=alt.Y2("y2"), fill=alt.Fill("fill:N", scale=None)
        ),
        alt.Chart(_data(rules), mark=alt.MarkDef("rule", color=RULE)).encode(x=x, x2=alt.X2("x2"), y=y),
        alt.Chart(_data(ticks), mark=alt.MarkDef("text", fontSize=9, color=SOFT)).encode(
            x=x, y=y, text=alt.Text("name:N")
        ),
        _names(words, y, left - GAP),
        _texts(words, y),
    ]
    return _svg(layers, height, title, [(name, text) for name, _, text in rows])


def _scale(rows: Sequence[tuple[str, Sequence[Decimal], str]], height: int) -> tuple[float, float]:
    """Return how many units one unit of money is high, and how far the lowest column reaches below the line."""
    values = [float(value) for _, amounts, _ in rows for value in amounts]
    most, least = max([0.0, *values]), min([0.0, *values])
    size = height / ((most - least) or 1)
    return size, -least * size


def _room(texts: Iterable[str]) -> float:
    """Return the width that texts need, at most."""
    return max((len(text) for text in texts), default=0) * CHARACTER + GAP


def _data(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _names(rows: Sequence[dict[str, Any]], y: alt.Y, limit: float) -> alt.Chart:
    mark = alt.MarkDef("text", align="left", baseline="middle", fontSize=12, color=INK, limit=limit)
    return alt.Chart(_data(rows), mark=mark).encode(x=_at(0), y=y, text=alt.Text("name:N"))


def _texts(rows: Sequence[dict[str, Any]], y: alt.Y) -> alt.Chart:
    mark = alt.MarkDef("text", align="right", baseline="middle", fontSize=12, color=INK)
    return alt.Chart(_data(rows), mark=mark).encode(x=_at(WIDTH), y=y, text=alt.Text("text:N"))


def _at(x: int) -> alt.XValue:
    return alt.XValue(x)  # type: ignore[no-untyped-call]


def _months_axis() -> alt.Axis:
    return alt.Axis(title=None, labelAngle=0, labelColor=SOFT, labelFontSize=10, domainColor=RULE, ticks=False)


def _svg(layers: Sequence[alt.Chart], height: float, title: str, figures: Sequence[tuple[str, str]]) -> Markup:
    """Draw layers as an element of a page, which says in words what it shows."""
    chart = alt.LayerChart(layer=list(layers), width=WIDTH, height=height, padding=PADDING, background="transparent")
    chart.view = alt.ViewBackground(stroke=None)
    specification = chart.to_dict(validate=False)  # checking it takes longer than drawing it
    drawn = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    # What stands in the opening tag beside the box are XML's own names, which look like addresses, and a fixed size.
    opening, _, inside = drawn.partition(">")
    box = re.search(r'viewBox="[-\d. ]+"', opening)
    said = f"{title}. {'; '.join(f'{name}: {text}' for name, text in figures)}."
    element = f'<svg role="img" {box[0] if box else ""} aria-label="{escape(said)}">{inside}'
    return Markup(element)  # noqa: S704 - vl-convert escapes what the chart holds
