"""`python -m benchmarks.scenario [--book FOLDER]…`: a lever pulled on the Resources page, from deals to pay and figures."""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import put, timed
from cadran.book import SAMPLE, Book, open_book
from cadran.figures import resources_page as sheet
from cadran.figures import resources_scenario as what_if
from cadran.figures.facts import Facts
from cadran.measures.answers import about, values
from cadran.models.scenario import Chain, chain
from cadran.models.scenario_levers import Levers
from cadran.text import words_for

#: Deals of a book -> milliseconds that one move of a lever may take on a server.
TARGETS = {20_000: 30.0, 1_000_000: 150.0}


def main() -> None:
    """Each book: its chain, levers pulled, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, action="append", help="one or more; the sample by default")
    asked = parser.parse_args()
    lines = [
        "| book | the chain alone: median / p95 | of it CPU | with the page's figures | of it CPU | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [measured(folder) for folder in asked.book or [SAMPLE]]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    names = ", ".join(f"{name} {version(name)}" for name in ("numpy", "polars"))
    table = "\n".join([*lines, "", f"{os.cpu_count()} cores ({platform.machine()}), load {load} at the end; {names}."])
    print(table)
    put("scenario", ABOUT.format(table=table))
    sys.exit("missed" in table)


def measured(folder: Path) -> str:
    """One row of the table."""
    book = open_book(folder)
    linked = chain(book)
    assert linked is not None  # it was waited for
    pull = on_page(book, linked)
    pull(Levers(size=0.97))  # the charts are compiled once in the life of a server
    alone = np.array([timed(lambda each=each: told(linked, each))[1] for each in levers(linked, 0.905)])  # type: ignore[misc]
    shown = np.array([timed(lambda each=each: pull(each))[1] for each in levers(linked, 0.915)])  # type: ignore[misc]
    n_deals = book.manifest["rows"]["opportunities"]
    most = next(each for deals, each in TARGETS.items() if n_deals <= deals)
    middle = 1e3 * np.median(shown[:, 1])
    return (
        f"| {n_deals:,} deals | {ends(alone[:, 0])} | {1e3 * np.median(alone[:, 1]):.1f} ms | {ends(shown[:, 0])} "
        f"| {middle:.1f} ms | at most {most:g} ms: {'met' if middle <= most else 'missed'} |"
    )


def levers(linked: Chain, first: float) -> list[Levers]:
    """Every lever, eight times, never twice the same."""
    factors = [first + turn / 40 for turn in range(8)]
    month = linked.months[3]
    return [
        each
        for turn, factor in enumerate(factors)
        for each in (
            Levers(size=factor), Levers(cycle=factor), Levers(win_odds=((None, factor),)), Levers(quota=factor),
            Levers(arrivals=((None, factor),)), Levers(ramp=factor), Levers(attrition=factor),
            *(Levers(hires=((region, month, turn + 1),)) for region in linked.regions[:1]),
        )
    ]  # fmt: skip


def told(linked: Chain, levers: Levers) -> tuple[Any, Any]:
    """All that the chain says of a set of levers."""
    here = linked.run(levers)
    return here.months, here.totals(linked.run())


def on_page(book: Book, linked: Chain) -> Callable[[Levers], None]:
    """From a set of levers to the message that the browser gets."""
    facts, reached, words = Facts(**about(book, sheet.DIMENSIONS)), values(book, sheet.REACHED), words_for("en")
    page = sheet.open_page(facts, sheet.Reach(reached["segment"], reached["region"], tuple(linked.plans)), words, {})
    answers = sheet.Answers(facts, page.asked, words, (book.day, book.day), {}, {}, {})
    now, whom = linked.run(), sheet.focus(page.asked)

    def pull(levers: Levers) -> None:
        here = linked.run(levers)
        as_is, moved = (sheet.Told(each.months, each.totals(now)) for each in (now, here))
        page.show(what_if.what_if(answers, whom, as_is, moved, ["a lever"], []))

    return pull


def ends(seconds: np.ndarray) -> str:
    """Median and 95th percentile."""
    return f"{1e3 * np.median(seconds):.1f} / {1e3 * np.quantile(seconds, 0.95):.1f} ms"


ABOUT = """## What if: a lever from deals to pay

400 futures of twelve months: deals, bookings, load, hires and pay of the company, its regions and teams, beside things as
they are. Eight levers, each at eight new places, none told before. "With the page's figures" ends with the message that
the browser gets; the target is held to its CPU, since the machine is shared.

{table}

`python -m benchmarks.scenario`
"""


if __name__ == "__main__":
    main()
