"""What tests of several folders share."""

import gc
import os
import shutil
from functools import cache
from typing import Any

# Two workers share two cores: libraries that start threads of their own would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import pytest
from playwright.sync_api import sync_playwright
from typer.main import get_command

from cadran.book import SAMPLE, write_book
from cadran.cli import main
from cadran.sources.sample import invent, write_plans

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


#: What draws pages. One worker has them all, and first: there charts are compiled and a browser is started but once.
PAGES = ("browser", "figures", "notebooks", "publish/test_shell")

#: What takes long besides, begun before the rest: a worker that meets it last would keep the other one waiting.
LONG = (
    "measures/test_engines", "sources/test_sample", "book/test_forget", "faults/test_bad_ends", "models/test_actions_bad_input",
    "databases/test_same_book", "sources/test_propose", "book/test_landmarks", "test_cli_audit", "book/test_buckets",
)  # fmt: skip


def unit(nodeid: str) -> str:
    """What one worker has whole: the pages, or a file."""
    file = nodeid.split("::")[0].removeprefix("tests/").removesuffix(".py")
    return "pages" if file.startswith(PAGES) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What one worker has whole is a `unit`."""
    from xdist.scheduler import LoadFileScheduling

    class ByUnit(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    return ByUnit(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The pages, then the files of `LONG` in its order, then the others in theirs."""
    place = {name: number for number, name in enumerate(("pages", *LONG))}
    items.sort(key=lambda item: place.get(unit(item.nodeid), len(place)))


def pytest_configure(config: pytest.Config) -> None:
    """Look for garbage seldom: as often as usual it takes a tenth of the time."""
    gc.set_threshold(100_000, 50, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine spark`: hold the measures to polars on Spark instead of DuckDB."""
    parser.addoption("--engine", choices=["duckdb", "spark"], default="duckdb")


@pytest.fixture(scope="session")
def chromium():
    """The machine's own Chromium, or the one that playwright installed. One for all: playwright starts only once."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """What is written is not waited for: a test sees it all the same, since none pulls the plug of the machine."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def command_built_once():
    """typer builds all that `cadran` understands anew each time it is called, which a process does but once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("typer.main.get_command", cache(get_command))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_old_swept():
    """What was loaded before the first test is not looked through for garbage again."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def small_company_invented(tmp_path_factory):
    """What every `small_company` is a copy of."""
    folder = tmp_path_factory.mktemp("invented")
    delivery = invent(deals=300, seed=3, activities=0.3)
    write_book(folder, delivery, delivery.settings.taken)
    write_plans(folder)
    earlier = shutil.ignore_patterns("pulse@2025-*", "pulse@2026-0[123]*")
    shutil.copytree(SAMPLE / "pulse", folder / "pulse", ignore=earlier)
    return folder


@pytest.fixture(scope="module")
def small_company(small_company_invented, tmp_path_factory):
    """The folder of a book of 300 deals of the sample's kind, with its plans, and the sample's last surveys. One for all
    tests of a file: what is learnt, kept or noted by those who read it reaches no other."""
    folder = tmp_path_factory.mktemp("small company") / "book"
    shutil.copytree(small_company_invented, folder)
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command; return its exit status, what it printed, and what it complained of."""

    def run_it(*arguments):
        monkeypatch.setattr("sys.argv", ["cadran", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run_it
