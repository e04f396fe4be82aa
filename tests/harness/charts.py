"""What every figure must be."""

import json
import re
from functools import cache

import altair as alt

from cadran.figures.figure import compiled
from cadran.figures.theme import COLOURS


@cache
def check_valid_beside(beside):
    """What stands beside a chart, as JSON, is valid: Altair takes seconds to read every chart again with it."""
    bare = {"data": {"name": "rows"}, "mark": "bar", "encoding": {}}
    alt.Chart.validate(bare | json.loads(beside))


def check_valid_without_data(build, fields, language):
    """A figure compiles to a valid chart that holds no data, and names no colour that a theme lacks."""
    drawing = compiled(build.__wrapped__, tuple(sorted(fields.items())), language, "EUR")

    # Altair validates the chart when `compiled` writes it; what is put beside it is the same of most figures.
    check_valid_beside(json.dumps({name: drawing.vegalite[name] for name in ("config", "padding")}))
    data = {each["name"]: each for each in json.loads(drawing.vega)["data"]}
    assert "values" not in data["rows"]
    assert set(re.findall(r"var\(--([a-z-]+)\)", drawing.vega)) <= COLOURS["light"].keys()
