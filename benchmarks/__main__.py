"""`python -m benchmarks [--book FOLDER] [--rounds N]`: Cadran beside Dash and Streamlit, all in one run."""

import argparse
import math
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from benchmarks import browser as look
from benchmarks import content, readers
from benchmarks.report import put
from benchmarks.servers import STACKS, cookie, running
from cadran.book import SAMPLE

Times = dict[tuple[str, str], list[float]]
#: Measure -> (what it is, how many visits or moves in a round).
ROWS = {
    "cold seen": "Navigation to the charts seen, empty cache",
    "warm seen": "Navigation to the charts seen, filled cache",
    "cold answers": "Navigation to charts that answer, empty cache",
    "warm answers": "Navigation to charts that answer, filled cache",
    "slider": "Slider to three redrawn charts",
}


def main() -> None:
    """Run everything, hold it to the targets, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, default=Path(os.environ.get("CADRAN_BOOK") or SAMPLE))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--moves", type=int, default=12, help="of the slider, per round and stack")
    parser.add_argument("--visits", type=int, default=3, help="cold and warm each, per round and stack")
    parser.add_argument("--signed-in", default="", metavar="REGION", help="somebody is, and sees one region")
    asked = parser.parse_args()
    os.environ["CADRAN_BOOK"] = str(asked.book.resolve())
    content.REGION = os.environ["BENCH_REGION"] = asked.signed_in
    times: Times = {}
    with ExitStack() as servers:
        accounts = Path(servers.enter_context(TemporaryDirectory())) if asked.signed_in else None
        shown = [cookie(accounts, asked.signed_in)] if accounts else []
        addresses = {stack: servers.enter_context(running(stack, asked.book.resolve(), accounts)) for stack in STACKS}
        with look.chromium() as browser:
            for round_ in range(asked.rounds):
                for stack, address in addresses.items():
                    own = [{**each, "url": address} for each in shown if stack == "cadran"]
                    page = f"{address}/slider" if stack == "cadran" else address
                    one_round(browser, stack, page, asked.visits, asked.moves, times, own)
                print(f"round {round_ + 1} of {asked.rounds}", file=sys.stderr)
        if asked.signed_in:
            table = signed_in(times)
            print(table)
            put("signed in", SIGNED_IN.format(table=table, machine=machine(), command=command(asked), asked=asked))
            sys.exit("missed" in table)
        trips = readers.round_trips(addresses["cadran"])
        crowd = readers.together(addresses["cadran"])
    table = report(times, trips, crowd)
    print(table)
    put("pages", README.format(table=table, machine=machine(), command=command(asked)))
    sys.exit("missed" in table)


def one_round(
    browser: Browser, stack: str, address: str, visits: int, moves: int, times: Times, cookies: Sequence[Any] = ()
) -> None:
    """A few cold visits, a few warm ones, and moves of the slider; what is shown is checked at both ends."""
    for _ in range(visits):
        context = look.reader(browser, cookies)
        for state in ("cold", "warm"):
            page, seen, answers = look.visit(context, address)
            times.setdefault((stack, f"{state} seen"), []).append(seen)
            times.setdefault((stack, f"{state} answers"), []).append(answers)
            page.wait_for_timeout(300)
            if state == "cold":
                page.close()
        check(stack, look.shown(page), len(content.steps()) - 1)
        context.close()
    context = look.reader(browser, cookies)
    page, *_ = look.visit(context, address)
    page.wait_for_timeout(1000)
    look.slider(page)
    times.setdefault((stack, "slider"), []).extend(look.move(page, "ArrowLeft") for _ in range(moves))
    check(stack, look.shown(page), len(content.steps()) - 1 - moves)
    context.close()


def check(stack: str, shown: list[dict[str, float]], step: int) -> None:
    """The numbers on the screen are those computed here, whichever stack shows them."""
    found = content.answer(content.steps()[step])
    for frame, value, values in zip(
        (found.months, found.regions, found.sectors), ("revenue", "win_rate", "revenue"), shown, strict=True
    ):
        expected = {str(row[frame.columns[0]]): row[value] for row in frame.iter_rows(named=True)}
        same = values.keys() == expected.keys() and all(math.isclose(values[k], expected[k]) for k in expected)
        if not same:
            raise AssertionError(f"{stack} shows other numbers at step {step}: {values} instead of {expected}")


def report(times: Times, trips: list[float], crowd: list[float]) -> str:
    """The tables, with each target and whether it was met."""
    return "\n".join([
        *measured(times),
        target("Slider to redrawn charts, median, of Dash's", ratio(times, "slider", "dash"), 0.5, " ×"),
        target("Slider to redrawn charts, p95, of Dash's", ratio(times, "slider", "dash", p95), 0.5, " ×"),
        target(f"Server round trip, one reader, median (n = {len(trips)})", median(trips), 20, " ms"),
        target(f"Server round trip, 20 readers once a second, p95 (n = {len(crowd)})", p95(crowd), 50, " ms"),
        *first_charts(times, 1.3),
    ])  # fmt: skip


def signed_in(times: Times) -> str:
    """The tables of somebody signed in."""
    return "\n".join([*measured(times), *first_charts(times, 1.2)])


def measured(times: Times) -> list[str]:
    """What each stack took, and the head of the targets."""
    lines = ["| milliseconds: median / p95 | Cadran | Dash | Streamlit |", "|---|---|---|---|"]
    for key, text in ROWS.items():
        cells = [f"{median(times[stack, key]):.0f} / {p95(times[stack, key]):.0f}" for stack in STACKS]
        lines.append(f"| {text} (n = {len(times['cadran', key])}) | {' | '.join(cells)} |")
    return [*lines, "", "| target | found | |", "|---|---|---|"]


def first_charts(times: Times, most: float) -> list[str]:
    """The targets of first charts: seen, of Dash's; that answer, of Streamlit's."""
    seen = [target(f"First charts seen, {state}, of Dash's", ratio(times, f"{state} seen", "dash"), 0.25, " ×")
            for state in ("cold", "warm")]  # fmt: skip
    return seen + [
        target(
            f"First charts that answer, {state}, of Streamlit's",
            ratio(times, f"{state} answers", "streamlit"),
            most,
            " ×",
        )
        for state in ("cold", "warm")
    ]


def target(text: str, found: float, most: float, unit: str) -> str:
    """One target's line."""
    return f"| {text}: at most {most:g}{unit} | {found:.3g}{unit} | {'met' if found <= most else 'missed'} |"


def ratio(times: Times, key: str, peer: str, of: Callable[[list[float]], float] | None = None) -> float:
    """Cadran's times over a peer's, by their medians unless told otherwise."""
    of = of or median
    return of(times["cadran", key]) / of(times[peer, key])


def median(times: list[float]) -> float:
    """The middle one."""
    return statistics.median(times)


def p95(times: list[float]) -> float:
    """Exceeded by one in twenty."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def machine() -> str:
    """What it was measured on."""
    names = [f"{name} {version(name)}" for name in ("marimo", "polars", "altair", "dash", "plotly", "streamlit")]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    built = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()})"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {built}, load {load} at the end; "
        f"Python {platform.python_version()}, {', '.join(names)}; headless Chromium, 1280 × 900"
    )


def command(asked: argparse.Namespace) -> str:
    """How to get these tables again."""
    told = f"python -m benchmarks --rounds {asked.rounds} --moves {asked.moves} --visits {asked.visits}"
    return f"{told} --signed-in {asked.signed_in}" if asked.signed_in else told


README = """## Pages

The same page in three stacks: one slider over 36 month ends, three charts of the sample's 6,000 deals (bars by month,
win rates with their intervals, bars by sector), computed by the same function (`content.py`). Servers run as each
stack's documentation says; all three are up together, and every round visits them in turn. The numbers on the screen
are compared with the computed ones at the beginning and the end of every round: a stack that shows others fails.

{table}

Measured {machine}, with `{command}` (or `make bench`).

What is measured, all from inside the page:
- *Charts seen*: from the start of the navigation until the marks of all three charts stand on the screen, two frames
  later. For Cadran that is the prepared picture of its shell page.
- *Charts that answer*: until all three live charts have taken the picture's place.
- *Slider to three redrawn charts*: from the key pressed on the slider to two frames after the last change of any mark.
- *Server round trip*: a reader without a browser changes the slider and waits for the rows, over kept connections.
- *Empty cache* is a new browser context; *filled cache* the second visit in it.

Streamlit's and Dash's servers are those that come with them; Streamlit draws Altair charts, Dash draws Plotly's.
"""


SIGNED_IN = """## Pages of somebody signed in

As above, but to Cadran's page a manager of {asked.signed_in} is signed in, and it is computed for their scope; Dash and
Streamlit show the same rows to whoever asks.

{table}

Measured {machine}, with `{command}`.
"""


if __name__ == "__main__":
    main()
