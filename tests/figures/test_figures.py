"""Every figure is a valid chart in both languages, shows its rows, and has its text and its exports."""

import json

import altair as alt
import dataframely as dy
import polars as pl
import pytest

from cadran.figures import opportunities as draw
from cadran.figures.figure import as_rows, figure
from cadran.figures.theme import COLOURS
from cadran.text import words_for

RATES = pl.DataFrame(
    {
        "region": ["North", "South", None],
        "n_closed": [1200, 20, 3],
        "n_won": [400, 10, 1],
        "win_rate": [1 / 3, 0.5, 1 / 3],
        "win_rate_low": [0.307, 0.299, 0.061],
        "win_rate_high": [0.361, 0.701, 0.792],
    }
)


def rates(language="en", **settings):
    return draw.win_rate_by(RATES, by="region", words=words_for(language), title="Win rate by region", **settings)


def test_a_chart_is_compiled_once_for_its_fields_and_language():
    assert rates().drawing is rates().drawing
    assert rates("fr").drawing is not rates("en").drawing


def test_french_charts_write_french_numbers():
    # A narrow no-break space stands before the per cent sign.
    assert "30\u202f%" in rates("fr").picture()
    assert "30%" in rates("en").picture()


def test_the_picture_shows_every_group_and_its_count():
    picture = rates().picture()

    assert all(text in picture for text in ("North", "South", "n = 1,200", "n = 20", "n = 3"))


def test_rows_carry_what_a_click_selects_and_the_state():
    rows = json.loads(rates(dimension="region").rows()["rows"])

    assert [row["key"] for row in rows] == ["North", "South", ""]
    assert {row["state"] for row in rows} == {"possible"}


def test_days_travel_as_milliseconds():
    days = pl.DataFrame({"day": ["2026-01-01"]}).select(pl.col("day").str.to_date())
    assert json.loads(as_rows(days)) == [{"day": 1767225600000}]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_that_stands_alone_has_its_title_and_real_colours(theme):
    svg = rates().svg(theme)

    assert "Win rate by region" in svg
    assert "var(--" not in svg
    assert COLOURS[theme]["panel"] in svg
    assert rates().png(theme)[:4] == b"\x89PNG"


def test_a_frame_without_a_column_of_its_schema_is_refused():
    with pytest.raises(ValueError, match=r"win_rate_by: the frame 'rows' lacks \['n_won'\]"):
        draw.win_rate_by(RATES.drop("n_won"), by="region", words=words_for("en"), title="")


def test_a_figure_may_draw_a_second_data_set():
    class Row(dy.Schema):
        x = dy.Float64()

    @figure(rows=Row, others=Row)
    def dots(style):
        return alt.layer(
            alt.Chart().mark_point().encode(x="x:Q"), alt.Chart(alt.NamedData("others")).mark_tick().encode(x="x:Q")
        )

    drawn = dots(
        pl.DataFrame({"x": [1.0]}), frames={"others": pl.DataFrame({"x": [2.0]})}, words=words_for("en"), title=""
    )

    assert drawn.picture().count("<path") > 1
    assert drawn.spec()["datasets"] == {"rows": [{"place": 0, "x": 1.0, "state": "possible"}], "others": [{"x": 2.0}]}


@pytest.mark.parametrize("theme", COLOURS)
def test_text_is_readable_on_every_ground(theme):
    """WCAG 2.2, 1.4.3: at least 4.5 : 1 for text, and 1.4.11: 3 : 1 for marks."""
    colours = COLOURS[theme]
    for ground in ("paper", "panel", "wash"):
        for text in ("ink", "muted", "accent", "good", "bad"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for mark in ("actual", "lost", "good", "bad"):
        assert contrast(colours[mark], colours["panel"]) >= 3, mark


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
