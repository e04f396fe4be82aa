"""The figures of the Resources page: valid charts in both languages, and what they make of their rows."""

import pytest
from charts import check_valid_without_data

from cadran.figures import resources_coming as coming
from cadran.figures import resources_loaded as loaded

BUILDERS = {
    loaded.balance: {"by": "team", "is_money": False}, loaded.open_by: {"by": "region"}, loaded.flows: {"every": "month"},
    loaded.stock: {"every": "month"}, loaded.growth: {}, loaded.attainment: {"by": "region"},
    loaded.touches: {"every": "month"}, loaded.heads: {"every": "month"}, loaded.tenure: {},
    coming.fan: {"every": "month", "rivals": True}, coming.made_of: {"every": "quarter"}, coming.moved: {},
    coming.calls: {},
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_every_figure_is_a_valid_chart_without_data(build, language):
    check_valid_without_data(build, BUILDERS[build], language)
