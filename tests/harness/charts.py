"""What every figure must be."""

import json
import re

import altair as alt

from cadran.figures.figure import compiled
from cadran.figures.theme import COLOURS


def check_valid_without_data(build, fields, language):
    """A figure compiles to a valid chart that holds no data, and names no colour that a theme lacks."""
    drawing = compiled(build.__wrapped__, tuple(sorted(fields.items())), language, "EUR")

    assert alt.Chart.from_dict(drawing.vegalite) is not None
    data = {each["name"]: each for each in json.loads(drawing.vega)["data"]}
    assert "values" not in data["rows"]
    assert set(re.findall(r"var\(--([a-z-]+)\)", drawing.vega)) <= COLOURS["light"].keys()
