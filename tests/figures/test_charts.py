"""Every figure there is compiles, in both languages, to a valid chart that holds no data."""

import json
import re
from importlib import import_module
from pkgutil import iter_modules

import altair as alt
import pytest

from cadran import figures
from cadran.figures import dumbbell, figure, incidence, opportunities, process_map, pulse
from cadran.figures import resources_coming as coming
from cadran.figures import resources_hiring as hiring
from cadran.figures import resources_if as what_if
from cadran.figures import resources_loaded as loaded
from cadran.figures import resources_sharing as sharing
from cadran.figures.theme import COLOURS

MODULES = [import_module(f"cadran.figures.{each.name}") for each in iter_modules(figures.__path__)]
#: What the decorator `figure` made.
FIGURES = {
    made
    for module in MODULES
    for made in vars(module).values()
    if hasattr(made, "__wrapped__") and getattr(made, "__globals__", None) is vars(figure)
}
#: What those that take fields are drawn of.
FIELDS = {
    dumbbell.won_against_lost: [{"unit": "days"}],
    incidence.pulls: [{"value": "revenue"}],
    opportunities.volumes_over_time: [{"by": "closed_month", "won": "amount_won", "lost": "amount_lost"}],
    opportunities.win_rate_by: [{"by": "region"}],
    opportunities.win_rate_over_time: [{"by": "closed_quarter"}],
    opportunities.bridge: [{"value": "amount"}],
    opportunities.pipeline_over_time: [{"value": "n_open"}, {"value": "amount_open"}],
    opportunities.cycle_by: [{"by": "region"}],
    process_map.process_map: [{"n_stages": 5}],
    pulse.trend: [{"is_enps": True}, {"is_enps": False}],
    coming.fan: [{"every": "month", "rivals": ("crm", "last_year")}, {"every": "quarter", "rivals": ()}],
    coming.made_of: [{"every": "quarter"}],
    hiring.shortage: [{"by": "label"}],
    hiring.timing: [{"is_costed": True}, {"is_costed": False}],
    what_if.months: [{"value": "bookings"}],
    what_if.tornado: [{"quantity": "bookings"}],
    loaded.balance: [{"by": "team", "is_money": False}, {"by": "region", "is_money": True}],
    loaded.open_by: [{"by": "region"}],
    loaded.flows: [{"every": "month"}],
    loaded.stock: [{"every": "month"}],
    loaded.attainment: [{"by": "region"}],
    loaded.touches: [{"every": "month"}],
    loaded.heads: [{"every": "month"}],
    sharing.help_pays: [{"value": "revenue"}],
}  # fmt: skip
CASES = [(each, fields) for each in FIGURES for fields in FIELDS.get(each, [{}])]


def named(case):
    each, fields = case
    return ".".join([each.__module__.rpartition(".")[2], each.__name__, *map(str, fields.values())])


def test_all_figures_are_found():
    assert len(FIGURES) > 50
    assert FIELDS.keys() <= FIGURES


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("case", sorted(CASES, key=named), ids=named)
def test_every_figure_is_a_valid_chart_without_data(case, language):
    build, fields = case

    drawing = figure.compiled(build.__wrapped__, tuple(sorted(fields.items())), language, "EUR")

    (alt.LayerChart if "layer" in drawing.vegalite else alt.Chart).validate(drawing.vegalite)
    data = {each["name"]: each for each in json.loads(drawing.vega)["data"]}
    assert "values" not in data["rows"]
    assert set(re.findall(r"var\(--([a-z-]+)\)", drawing.vega)) <= COLOURS["light"].keys()
