"""A figure: a measured frame and the chart that shows it, compiled once and fed rows ever after."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from hashlib import sha256
from typing import Any

import altair as alt
import dataframely as dy
import polars as pl
import vl_convert

from cadran.figures.style import Style
from cadran.figures.theme import painted
from cadran.text import Words

#: Width in pixels of a picture that stands alone, and of one not yet fitted to its page.
WIDTH = 600
#: Room in pixels around a chart that asks for none.
PADDING = {"left": 4, "top": 4, "right": 8, "bottom": 4}

Chart = alt.TopLevelMixin
Builder = Callable[..., Chart]


@dataclass(frozen=True)
class Drawing:
    """A chart compiled for one set of fields, one language and one currency. Holds no data."""

    key: str
    vegalite: dict[str, Any] = field(repr=False)
    vega: str = field(repr=False)


@dataclass(frozen=True)
class Figure:
    """What is drawn, and the frames it is drawn from.

    `frames` maps each of the chart's data sets to its rows; `frame` is the measured one. `dimension` is the
    column on which a click selects, or None. `finding` is the text alternative: what the picture says.
    """

    drawing: Drawing
    frames: Mapping[str, pl.DataFrame]
    words: Words
    currency: str
    title: str
    subtitle: str = ""
    finding: str = ""
    dimension: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def frame(self) -> pl.DataFrame:
        """The measured frame behind the picture."""
        return self.frames["rows"]

    def rows(self) -> dict[str, str]:
        """The rows of each data set as JSON; days and instants as milliseconds since 1970 (UTC)."""
        return {name: as_rows(frame) for name, frame in self.marked().items()}

    def marked(self) -> dict[str, pl.DataFrame]:
        """The rows of each data set, those of the measured one with what drawing and clicking need."""
        return {name: self._marked(frame) if name == "rows" else frame for name, frame in self.frames.items()}

    def _marked(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with what drawing and clicking need: `place` among them, `state` of selection, and `key`, the value a
        click selects."""
        state = [] if "state" in frame.columns else [pl.lit("possible").alias("state")]
        key = []
        if self.dimension and "key" not in frame.columns:
            key = [pl.col(self.dimension).cast(pl.String).fill_null("").alias("key")]
        return frame.with_columns(*state, *key).with_row_index("place")

    def spec(self, theme: str = "light") -> dict[str, Any]:
        """The chart as Vega-Lite, with its data, in the colours of a theme."""
        spec = copy.deepcopy(self.drawing.vegalite)
        spec["datasets"] = {name: json.loads(rows) for name, rows in self.rows().items()}
        spec["title"] = {"text": self.title, "subtitle": self.subtitle, "anchor": "start", "offset": 12}
        spec["config"]["background"] = "var(--panel)"
        spec["padding"] = {side: room + 12 for side, room in spec["padding"].items()}
        return json.loads(painted(json.dumps(spec), theme))

    def picture(self, width: int = WIDTH) -> str:
        """The chart as SVG for a page: no title, colours as CSS variables."""
        spec = json.loads(self.drawing.vega)
        rows = self.rows()
        for data in spec["data"]:
            if data["name"] in rows:
                data["values"] = json.loads(rows[data["name"]])
        spec["width"] = width
        return vl_convert.vega_to_svg(spec)

    def svg(self, theme: str = "light") -> str:
        """The picture standing alone, with its title, as SVG."""
        return vl_convert.vegalite_to_svg(self.spec(theme))

    def png(self, theme: str = "light", scale: float = 2.0) -> bytes:
        """The picture standing alone, with its title, as PNG."""
        return vl_convert.vegalite_to_png(self.spec(theme), scale=scale)

    def _display_(self) -> Any:
        """What marimo shows when a cell ends with this figure: the live page's figure, alone."""
        from cadran.figures.page import Page

        page = Page(self.title, self.words, alone=True)
        page.show({"figure": self})
        return page


def figure(rows: type[dy.Schema], **others: type[dy.Schema]) -> Callable[[Builder], Callable[..., Figure]]:
    """Make a figure of a function that builds an Altair chart from field names.

    The function's first parameter is the `Style` (words, currency, colours, axes); the others name fields and
    labels. It names no data: the chart's own data set is "rows"; further ones, given here by name with their
    schema, are reached by `alt.NamedData(name)`. What results is called with the measured frame:

        draw(frame, *, words, currency, title, subtitle="", finding="", dimension=None, **fields) -> Figure

    and raises `ValueError` when a frame lacks a column of its schema.
    """

    def decorate(build: Builder) -> Callable[..., Figure]:
        schemas = {"rows": rows, **others}

        @wraps(build)
        def draw(
            frame: pl.DataFrame,
            *,
            words: Words,
            title: str,
            currency: str = "EUR",
            subtitle: str = "",
            finding: str = "",
            dimension: str | None = None,
            labels: Mapping[str, str] | None = None,
            frames: Mapping[str, pl.DataFrame] | None = None,
            **fields: Any,
        ) -> Figure:
            held = {"rows": frame, **(frames or {})}
            for name, schema in schemas.items():
                if missing := set(schema.column_names()) - set(held[name].columns):
                    raise ValueError(f"{build.__name__}: the frame {name!r} lacks {sorted(missing)}.")
            drawing = compiled(build, tuple(sorted(fields.items())), words.language, currency)
            return Figure(drawing, held, words, currency, title, subtitle, finding, dimension, labels or {})

        return draw

    return decorate


@lru_cache(maxsize=256)
def compiled(build: Builder, fields: tuple[tuple[str, Any], ...], language: str, currency: str) -> Drawing:
    """The chart of a builder, compiled to Vega once per fields, language and currency.

    A test holds every figure to the schema of Vega-Lite; a page does not ask again, which took a third of the time.
    """
    style = Style(language, currency)
    chart = build(style, **dict(fields)).properties(
        data=alt.NamedData("rows"), autosize=alt.AutoSizeParams(type="fit-x", contains="padding"), width=WIDTH
    )
    vegalite = {"padding": PADDING, **chart.to_dict(validate=False), "config": style.config}
    spec = vl_convert.vegalite_to_vega(vegalite)
    for axis in spec.get("axes", []):
        if axis["scale"] == "y" and axis.get("labels", True):
            labels = axis.setdefault("encode", {}).setdefault("labels", {})
            labels["interactive"] = True
    vega = json.dumps(spec, separators=(",", ":"), ensure_ascii=False)
    return Drawing(sha256(vega.encode()).hexdigest()[:16], vegalite, vega)


def as_rows(frame: pl.DataFrame) -> str:
    """The rows of a frame as JSON, days and instants as milliseconds since 1970 (UTC)."""
    days = [pl.col(pl.Date).cast(pl.Datetime("ms")).cast(pl.Int64)]
    instants = [pl.col(name).dt.epoch("ms") for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(days + instants).write_json()
