"""What every chart shares: the scale of states, axes of money, shares and time, tooltips."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt

from cadran.figures.columns import VALUES, WORDED, value_label
from cadran.figures.theme import colour, config
from cadran.text import Words, words_for

#: Padding of a chart with a column of texts to its right, in pixels.
BESIDE = {"left": 4, "top": 4, "right": 14, "bottom": 4}
STATES = ["selected", "possible", "excluded"]
#: End or beginning of a column's name -> how its values are written (d3).
UNITS = {
    "_rate": ".1%", "_share": ".1%", "_low": ".1%", "_high": ".1%", "probability": ".1%", "predicted": ".1%",
    "observed": ".1%", "skill": ".1%",
    "amount": "$,.0f", "revenue": "$,.0f", "n_": ",", "_days": ",.0f",
}  # fmt: skip
TIMES = {"month": "%B %Y", "date": "%d %b %Y", "quarter": "%b %Y", "year": "%Y", "week": "%d %b %Y"}


@dataclass(frozen=True)
class Style:
    """How charts look for readers of one language and one currency."""

    language: str
    currency: str

    @cached_property
    def words(self) -> Words:
        """The words of this language."""
        return words_for(self.language)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The Vega-Lite configuration."""
        return config(self.language, self.currency)

    def ink(self, possible: str = "actual") -> alt.Color:
        """Colour by `state`: selected in the accent, the others as `possible`."""
        colours = [colour("accent"), colour(possible), colour(possible)]
        return alt.Color("state:N", scale=alt.Scale(domain=STATES, range=colours), legend=None)

    def fade(self) -> alt.Opacity:
        """Opacity by `state`: what is excluded fades but stays readable."""
        return alt.Opacity("state:N", scale=alt.Scale(type="ordinal", domain=STATES, range=[1, 1, 0.35]), legend=None)

    def down(self, by: str, **more: Any) -> alt.Y:
        """A line for each group, in the order of the rows, also after other rows have taken their place."""
        return alt.Y(f"{by}:N", sort=alt.EncodingSortField("place", op="min"), **more)

    def rows(self, by: str) -> alt.Chart:
        """Invisible rows as wide as the chart, so that a click anywhere on a group's line selects it."""
        return alt.Chart().mark_rect(fillOpacity=0, cursor="pointer").encode(self.down(by))

    def right(self, text: str, by: str) -> alt.Chart:
        """A column of texts right of the chart, one a group: counts, amounts. Needs `padding=BESIDE`."""
        place = alt.XValue(alt.ExprRef("width + 10"))  # type: ignore[arg-type]
        rows = alt.Chart().transform_calculate(beside=text).transform_filter("isValid(datum.beside)")
        mark = rows.mark_text(align="left", color=colour("muted"))
        return mark.encode(self.down(by), x=place, text="beside:N", opacity=self.fade())

    def zero(self) -> alt.Chart:
        """The line at zero."""
        return alt.Chart().mark_rule(color=colour("muted")).encode(y=alt.datum(0))

    def money_text(self, value: str) -> str:
        """A Vega expression that writes an amount with 3 significant digits: "4.2 M€"."""
        before, after = self.words.around(self.currency)
        text = f"'{before}' + format({value}, ',.3~r') + '\u00a0{after}'"
        for size, name in ((1e3, "k"), (1e6, "M"), (1e9, "Md" if self.language == "fr" else "bn")):
            short = f"'{before}' + format({value} / {size:.0f}, ',.3~r') + '\u00a0{name}{after}'"
            text = f"abs({value}) >= {size * 0.9995:.0f} ? {short} : {text}"
        return f"({text})"

    def money(self, **axis: Any) -> alt.Axis:
        """An axis of amounts: "4.2 M€"."""
        return alt.Axis(
            labelExpr=f"datum.value == 0 ? '0' : {self.money_text('datum.value')}", **{"tickCount": 5, **axis}
        )

    def counts(self, **axis: Any) -> alt.Axis:
        """An axis of whole numbers; below zero they are written without their sign."""
        return alt.Axis(labelExpr="format(abs(datum.value), ',d')", tickMinStep=1, **{"tickCount": 5, **axis})

    def share(self, **axis: Any) -> alt.Axis:
        """An axis of shares in per cent."""
        return alt.Axis(format=".0%", tickMinStep=0.01, **{"tickCount": 6, **axis})

    def months(self, **axis: Any) -> alt.Axis:
        """An axis of months, one after the other: short names, the year in place of January."""
        month = "utcmonth(datum.value) == 0 ? utcFormat(datum.value, '%Y') : utcFormat(datum.value, '%b')"
        return alt.Axis(labelExpr=month, labelAngle=0, **axis)

    def periods(self, every: str, **axis: Any) -> alt.Axis:
        """An axis of months or quarters, one after the other: short names, the year in place of the first."""
        if every == "month":
            return self.months(**axis)
        quarter = f"'{'T' if self.language == 'fr' else 'Q'}' + utcquarter(datum.value)"
        text = f"utcmonth(datum.value) == 0 ? utcFormat(datum.value, '%Y') : {quarter}"
        return alt.Axis(labelExpr=text, labelAngle=0, **axis)

    def quarters(self, **axis: Any) -> alt.Axis:
        """An axis of time: quarters, the year in place of the first."""
        letter = "T" if self.language == "fr" else "Q"
        quarter = f"'{letter}' + utcquarter(datum.value)"
        text = f"utcmonth(datum.value) == 0 ? utcFormat(datum.value, '%Y') : {quarter}"
        return alt.Axis(labelExpr=text, tickCount={"interval": "month", "step": 3}, labelBound=True, **axis)

    def names(self, column: str, **axis: Any) -> alt.Axis:
        """An axis of groups: our own words in the reader's language, and what is unknown said so."""
        said = {value: self.words(text) for value, text in VALUES.items()} if column in WORDED else {}
        unknown = json.dumps(value_label(column, None, self.words), ensure_ascii=False)
        name = f"{json.dumps(said, ensure_ascii=False)}[datum.value] || datum.label" if said else "datum.label"
        return alt.Axis(labelExpr=f"isValid(datum.value) ? ({name}) : {unknown}", **axis)

    def keys(self) -> alt.Legend:
        """What the colours of bars mean: in two columns, in one where there is no room for two."""
        return alt.Legend(columns=alt.ExprRef("containerSize()[0] < 420 ? 1 : 2"), symbolType="square", labelLimit=240)  # type: ignore[arg-type]

    def tips(self, **labels: str) -> list[alt.Tooltip]:
        """Exact values on hover: each column with its label, written by the unit in the column's name."""
        return [self._tip(name, self.words(label)) for name, label in labels.items()]

    def tips_as(self, pattern: str, **labels: str) -> list[alt.Tooltip]:
        """The same, all written by one pattern (d3)."""
        return [alt.Tooltip(f"{name}:Q", title=self.words(label), format=pattern) for name, label in labels.items()]

    def _tip(self, name: str, label: str) -> alt.Tooltip:
        for ends, pattern in TIMES.items():
            if name == ends or name.endswith(f"_{ends}"):
                return alt.Tooltip(f"{name}:T", timeUnit="utcyearmonthdate", title=label, format=pattern)
        for ends, pattern in UNITS.items():
            if name.endswith(ends) or name.startswith(ends) or name == "n" == ends[0]:
                return alt.Tooltip(f"{name}:Q", title=label, format=pattern)
        return alt.Tooltip(f"{name}:N", title=label)
