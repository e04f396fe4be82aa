"""One look: colours, type and the marks of IBCS, for pages and for charts.

Charts name colours as CSS variables, so that one compiled chart serves the light and the dark page;
`painted` puts the real colours in where a picture must stand alone.
"""

import re
from functools import lru_cache
from typing import Any

import vl_convert

from cadran.text import LANGUAGES, Words

FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, sans-serif"

#: Meaning -> colour, in each theme. Text on `paper` or `panel` has a contrast of at least 4.5 : 1.
COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "paper": "#f7f6f3",
        "panel": "#ffffff",
        "ink": "#1d2126",
        "muted": "#59616b",
        "line": "#d9dce0",
        "grid": "#e9ebee",
        "accent": "#1b5fc1",
        "on-accent": "#ffffff",
        "wash": "#e8effa",
        "actual": "#3a424c",
        "previous": "#bcc2ca",
        "good": "#1b5fc1",
        "bad": "#a94c08",
        "lost": "#c8802f",
    },
    "dark": {
        "paper": "#13161a",
        "panel": "#1b1f24",
        "ink": "#e9ebee",
        "muted": "#a4acb6",
        "line": "#363d45",
        "grid": "#282e35",
        "accent": "#7fb2ff",
        "on-accent": "#10151c",
        "wash": "#22314a",
        "actual": "#c5ccd5",
        "previous": "#505a66",
        "good": "#7fb2ff",
        "bad": "#f3a764",
        "lost": "#b9773a",
    },
}


def colour(meaning: str) -> str:
    """The CSS variable of a colour, for a chart."""
    if meaning not in COLOURS["light"]:
        raise KeyError(meaning)
    return f"var(--{meaning})"


def variables(theme: str) -> str:
    """The colours of a theme as CSS declarations."""
    return "".join(f"--{name}:{value};" for name, value in COLOURS[theme].items())


def painted(text: str, theme: str) -> str:
    """A chart or picture with the colours of a theme in place of the variables."""
    return re.sub(r"var\(--([a-z-]+)\)", lambda match: COLOURS[theme][match[1]], text)


@lru_cache
def locale(language: str, currency: str) -> dict[str, Any]:
    """How Vega writes numbers and dates for a reader (d3 locales)."""
    name = LANGUAGES[language].replace("_", "-")
    numbers: dict[str, Any] = dict(vl_convert.get_format_locale(name))  # type: ignore[arg-type]
    symbol = Words(language).symbol(currency)
    numbers["currency"] = ["", f"\u00a0{symbol}"] if language == "fr" else [symbol, ""]
    return {"number": numbers, "time": vl_convert.get_time_format_locale(name)}  # type: ignore[arg-type]


def config(language: str, currency: str) -> dict[str, Any]:
    """The Vega-Lite configuration shared by every chart."""
    text = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12}
    quiet = {"labelColor": colour("muted"), "titleColor": colour("muted"), "titleFontWeight": "normal"}
    return {
        "background": "transparent",
        "font": FONT,
        "locale": locale(language, currency),
        "view": {"stroke": None, "cursor": "default"},
        "axis": {
            **text,
            **quiet,
            "domain": False,
            "ticks": False,
            "gridColor": colour("grid"),
            "labelPadding": 6,
            "titlePadding": 8,
        },
        "axisX": {
            "grid": False,
            "domain": True,
            "domainColor": colour("line"),
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        },
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "start", "titleY": -10, "tickCount": 4},
        "legend": {**text, **quiet, "orient": "top", "direction": "horizontal", "title": None, "symbolSize": 80},
        "title": {
            "font": FONT,
            "subtitleFont": FONT,
            "fontSize": 15,
            "subtitleFontSize": 12,
            "color": colour("ink"),
            "subtitleColor": colour("muted"),
        },
        "text": {"font": FONT, "fontSize": 12, "color": colour("ink")},
        "bar": {"color": colour("actual")},
        "line": {"color": colour("actual"), "strokeWidth": 2},
        "rule": {"color": colour("muted")},
        "point": {"color": colour("actual"), "filled": True, "size": 70},
    }
