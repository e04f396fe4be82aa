"""The same page in Dash: `python -m benchmarks.dash_page PORT`."""

import sys

import dash
import plotly.graph_objects as go

from benchmarks import content

app = dash.Dash(__name__, title=content.TITLE)
last = len(content.steps()) - 1
_LAYOUT = {"height": 240, "margin": {"l": 120, "r": 10, "t": 10, "b": 30}, "template": "plotly_white"}


def figures(step: int) -> tuple[go.Figure, go.Figure, go.Figure]:
    """The three charts for one stop of the slider."""
    found = content.answer(content.steps()[step])
    months, regions, sectors = found.months, found.regions, found.sectors
    rate = regions["win_rate"]
    above, below = regions["win_rate_high"] - rate, rate - regions["win_rate_low"]
    return (
        go.Figure(go.Bar(x=months["closed_month"].to_list(), y=months["revenue"].to_list()), _LAYOUT),
        go.Figure(
            go.Scatter(
                x=rate.to_list(), y=regions["region"].to_list(), mode="markers",
                error_x={"array": above.to_list(), "arrayminus": below.to_list()},
            ),
            _LAYOUT | {"xaxis": {"tickformat": ".0%", "rangemode": "tozero"}},
        ),
        go.Figure(go.Bar(x=sectors["revenue"].to_list(), y=sectors["sector"].to_list(), orientation="h"), _LAYOUT),
    )  # fmt: skip


first = figures(last)
app.layout = dash.html.Div(
    [
        dash.html.H1(content.TITLE),
        dash.dcc.Slider(0, last, 1, value=last, marks=None, updatemode="drag", id="step"),
        *(
            part
            for name, title, shown in zip(
                ("months", "regions", "sectors"), (content.MONTHS, content.REGIONS, content.SECTORS), first, strict=True
            )
            for part in (dash.html.H2(title), dash.dcc.Graph(id=name, figure=shown))
        ),
    ]
)


@app.callback(
    dash.Output("months", "figure"), dash.Output("regions", "figure"), dash.Output("sectors", "figure"),
    dash.Input("step", "value"), prevent_initial_call=True,
)  # fmt: skip
def answer(step: int) -> tuple[go.Figure, go.Figure, go.Figure]:
    """What the slider asks for."""
    return figures(step)


if __name__ == "__main__":
    app.run(port=sys.argv[1], debug=False)
