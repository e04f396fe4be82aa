"""A fitted win model is kept with its book, and fitted anew when the book, the moment or the question is another."""

import shutil
import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import days
import numpy as np
import polars as pl
import pytest
from looks import UNTIL, few_trees, lives, looked_at
from polars.testing import assert_frame_equal

from cadran.book import Reader, books, forget, open_book, purge, write_book
from cadran.book.forget import current_version
from cadran.models import backtest, kept, win
from cadran.models.hazards import count_rates
from cadran.models.hazards_boosted import fit_boosting
from cadran.models.hazards_logit import fit_logit
from cadran.models.ladder import Rung
from cadran.models.leaks import Suspect

DAYS = days.last_days(3)
FACTS = looked_at(lives(40, seed=9)).facts
RUNGS = (
    Rung("constant", 0, True),
    Rung("logit", 100, True, "constant", -0.01, 0.002),
    Rung("boosting", 300, False, why_not="few"),
)
PAST = backtest.Backtest(
    date(2026, 1, 1), date(2026, 6, 30), "logit",
    pl.DataFrame({"name": ["constant", "logit"], "chosen": [False, True], "log_loss": [0.6, None]}),
    pl.DataFrame({"name": ["logit"], "n": [9], "observed_low": [0.25]}),
    pl.DataFrame({
        "name": ["logit"] * 4, "by": ["age_days", "region", "region", "region"], "group": ["< 30", "North", "South", None],
    }),
    (Suspect("competitor", "filled in", 80, share=0.99, outcome="lost"),),
)  # fmt: skip
SUSPECTS = (Suspect("competitor", "filled in", np.int64(80), share=0.99, outcome="lost"),)


@cache
def fitted(name: str) -> win.WinModel:
    """A model of each kind, from invented deals."""
    taken = looked_at(lives(400, seed=2))
    make = {
        "constant": lambda: count_rates(taken, False), "stage rates": lambda: count_rates(taken, True, seed=3),
        "logit": lambda: fit_logit(taken, ridge=20.0, seed=3), "boosting": lambda: fit_boosting(taken, n_resampled=2),
    }  # fmt: skip
    card = win.Card(40, 60, len(taken), RUNGS, SUSPECTS, None, win.drift(taken))
    return win.WinModel(name, make[name](), UNTIL, card)


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Few trees."""
    patch = few_trees()
    yield
    patch.undo()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A book of two imports."""
    folder = tmp_path_factory.mktemp("kept") / "book"
    tables, settings = days.company(60)
    for day in DAYS[:2]:
        write_book(folder, days.told(tables, settings, day), days.end_of(day))
    return folder


@pytest.fixture
def folder(written, tmp_path):
    copy = tmp_path / "book"
    shutil.copytree(written, copy)
    return copy


@pytest.fixture
def fits(monkeypatch):
    """What is fitted, instead of the book's own model: each time the question is noted."""
    asked = []

    def fit(book, seed=0, confirmed=()):
        asked.append((book, seed, tuple(confirmed)))
        return fitted("logit")

    monkeypatch.setattr(win, "fit", fit)
    kept._place.cache_clear()
    yield asked
    kept._place.cache_clear()


def anew(book, **more):
    """The model as another process finds it."""
    kept._place.cache_clear()
    return kept.model(book, **more)


@pytest.fixture
def runs(monkeypatch):
    """What is run, instead of the book's own backtest: each time the question is noted."""
    asked = []

    def run(book, *question):
        asked.append((book, *question))
        return PAST

    monkeypatch.setattr(backtest, "backtest", run)
    kept._place.cache_clear()
    yield asked
    kept._place.cache_clear()


def told_again(book, *question, **more):
    """The backtest as another process finds it."""
    kept._place.cache_clear()
    return kept.past(book, *question, **more)


def files(folder):
    return sorted(folder.glob(f"*/{kept.FOLDER}/*"))


def same(one: win.WinModel, other: win.WinModel) -> None:
    assert (one.chosen, one.day) == (other.chosen, other.day)
    assert (one.card.rungs, one.card.suspects) == (other.card.rungs, other.card.suspects)
    assert (one.card.n_won, one.card.n_ended, one.card.n_snapshots) == (
        other.card.n_won, other.card.n_ended, other.card.n_snapshots
    )  # fmt: skip
    assert_frame_equal(one.card.drift, other.card.drift)
    assert_frame_equal(one.score(FACTS), other.score(FACTS), check_exact=True)


def test_it_is_fitted_once_and_found_again(folder, fits):
    book = open_book(folder)

    first = kept.model(book)
    assert kept.model(open_book(folder)) is first
    found = anew(book)

    assert len(fits) == 1
    assert found is not first
    same(found, first)
    assert len(files(folder)) == 1


@pytest.mark.parametrize("name", ["constant", "stage rates", "logit"])
def test_what_is_found_is_to_the_bit_what_was_fitted(folder, fits, monkeypatch, name):
    monkeypatch.setattr(win, "fit", lambda *of, **how: fitted(name))
    book = open_book(folder)
    kept.model(book)
    monkeypatch.setattr(win, "fit", None)

    found = anew(book)

    same(found, fitted(name))
    assert type(found.hazards) is type(fitted(name).hazards)
    if name == "logit":
        assert found.hazards.design == fitted(name).hazards.design


def test_trees_are_not_kept_but_the_choice_is(folder, fits, monkeypatch):
    monkeypatch.setattr(win, "fit", lambda *of, **how: fitted("boosting"))
    book, refitted = open_book(folder), []

    def hazards(learnt, chosen, past, n_resampled=0):
        refitted.append((learnt.left_out, learnt.seed, chosen, n_resampled))
        return fitted("boosting").hazards

    kept.model(book, seed=5)
    monkeypatch.setattr(win, "fit", None)
    monkeypatch.setattr(win.Learnt, "hazards", hazards)
    found = anew(book, seed=5)

    same(found, fitted("boosting"))
    assert refitted == [(("competitor",), 5, "boosting", win.RESAMPLED)]
    assert b"sklearn" not in files(folder)[0].read_bytes()


def test_a_backtest_is_run_once_and_found_again(folder, runs):
    book = open_book(folder)

    assert kept.past(book) is PAST
    found = told_again(book)

    assert len(runs) == len(files(folder)) == 1
    assert found is not PAST
    for name in ("since", "until", "chosen", "suspects"):
        assert getattr(found, name) == getattr(PAST, name)
    for name in ("scores", "reliability", "skill"):
        assert_frame_equal(getattr(found, name), getattr(PAST, name), check_exact=True)


def test_other_days_are_another_backtest(folder, runs):
    book, since, until = open_book(folder), date(2026, 1, 1), date(2026, 2, 1)

    for asked in [(book, since, until), (book, since), (book, None, until), (book,), (book, since, until)]:
        told_again(*asked)
    told_again(book, confirmed=["competitor"])

    assert len(runs) == len(files(folder)) == 5
    assert runs[0][1:] == (since, until, 0, ())
    assert runs[4][1:] == (None, None, 0, ("competitor",))


def test_of_a_backtest_a_reader_sees_the_regions_that_are_theirs(folder, runs):
    book = open_book(folder)

    def groups(**theirs):
        return kept.past(book.scope(Reader("Ann", **theirs))).skill["group"].to_list()

    assert groups() == ["< 30", "North", "South", None]
    assert groups(regions=frozenset({"North"})) == ["< 30", "North"]
    assert groups(teams=frozenset({"North 1"})) == ["< 30"]
    assert len(runs) == 1
    assert runs[0][0].reader is None


def test_many_who_ask_at_once_wait_for_one_fit(folder, monkeypatch, fits):
    quick = win.fit

    def slow(*of, **how):
        time.sleep(0.2)
        return quick(*of, **how)

    monkeypatch.setattr(win, "fit", slow)
    found = []
    threads = [threading.Thread(target=lambda: found.append(kept.model(open_book(folder)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(fits) == 1
    assert len(found) == 6
    assert all(each is found[0] for each in found)


def test_another_question_is_another_model(folder, fits):
    book = open_book(folder)
    earlier = book.as_of(book.moment - timedelta(days=40))

    for asked in (book, earlier, replace(book, corrected=True)):
        kept.model(asked)
    kept.model(book, seed=1)
    kept.model(book, confirmed=["competitor"])
    kept.model(book, confirmed=["competitor", "amount"])
    kept.model(book, confirmed=("amount", "competitor"))

    assert len(fits) == len(files(folder)) == 6
    assert fits[1][0].moment == earlier.moment
    assert fits[5][1:] == (0, ("amount", "competitor"))


def test_whoever_reads_it_is_the_model_of_all(folder, fits):
    book = open_book(folder)

    first = kept.model(replace(book, reader=Reader("Ann", regions=("North",))))

    assert kept.model(book) is first
    assert fits[0][0].reader is None


def test_it_is_fitted_anew_after_an_import(folder, fits):
    kept.model(open_book(folder))
    tables, settings = days.company(60)
    write_book(folder, days.told(tables, settings, DAYS[2]), days.end_of(DAYS[2]))

    kept.model(open_book(folder))

    assert len(fits) == 2
    assert len(files(folder)) == 2  # each beside its version


def test_nothing_is_left_of_it_once_somebody_is_forgotten(folder, fits, runs):
    kept.model(open_book(folder))
    kept.past(open_book(folder))
    assert len(files(folder)) == 2
    rep = pl.read_parquet(current_version(folder) / "versions/*.parquet")["rep_id"].drop_nulls()[0]
    forget(folder, rep)

    assert files(folder) == []
    kept.model(open_book(folder))
    assert len(fits) == 2


def test_nothing_is_left_of_it_after_a_purge(folder, fits):
    kept.model(open_book(folder))
    purge(folder, DAYS[0] - timedelta(days=200))

    assert files(folder) == []
    kept.model(open_book(folder))
    assert len(fits) == 2


def test_nothing_is_written_where_somebody_was_forgotten_meanwhile(folder, fits, monkeypatch):
    quick, rep = win.fit, pl.read_parquet(current_version(folder) / "versions/*.parquet")["rep_id"].drop_nulls()[0]

    def fit(*of, **how):
        forget(folder, rep)
        return quick(*of, **how)

    monkeypatch.setattr(win, "fit", fit)
    kept.model(open_book(folder))

    assert files(folder) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\0" * 40,
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:-1],
        lambda data: b"not a model at all, but longer than a checksum is",
    ],
)
def test_a_damaged_file_is_written_anew(folder, fits, damage):
    book = open_book(folder)
    first = kept.model(book)
    (file,) = files(folder)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))

    same(anew(book), first)

    assert len(fits) == 2
    assert file.read_bytes() == whole


def test_a_file_of_other_code_is_not_read(folder, fits, monkeypatch):
    kept.model(open_book(folder))
    monkeypatch.setattr(kept, "made_by", lambda module: "another")
    anew(open_book(folder))

    assert len(fits) == 2


def test_a_book_that_cannot_be_written_is_no_trouble(folder, fits):
    version = current_version(folder)
    (version / kept.FOLDER).write_text("in the way")

    first = kept.model(open_book(folder))
    same(anew(open_book(folder)), first)

    assert len(fits) == 2
    assert (version / kept.FOLDER).read_text() == "in the way"


def test_the_latest_few_are_kept(folder, fits, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    book = open_book(folder)

    for seed in range(4):
        kept.model(book, seed=seed)
        time.sleep(0.01)

    assert len(files(folder)) == 2
    anew(book, seed=3)
    assert len(fits) == 4


def test_versions_are_checked_pruned_and_listed_as_ever(folder, fits, run):
    for version in books.listed(folder)["version"]:
        books.restore(folder, version)
        kept.model(open_book(folder))
    assert len(files(folder)) == 2

    assert books.verify(folder, every=True) > 0
    assert run("status", "--verify", "--book", folder)[0] == 0
    assert run("books", "--book", folder)[0] == 0
    assert books.prune(folder, 1) == ["000001"]
    assert [file.parent.parent.name for file in files(folder)] == ["000002"]


def test_a_model_that_cannot_be_fitted_is_tried_again(folder, fits, monkeypatch):
    quick = win.fit

    def broken(*of, **how):
        raise ValueError("for once")

    monkeypatch.setattr(win, "fit", broken)
    with pytest.raises(ValueError, match="for once"):
        kept.model(open_book(folder))
    monkeypatch.setattr(win, "fit", quick)

    assert kept.model(open_book(folder)).chosen == "logit"


def test_the_model_of_a_real_book_is_kept(folder):
    book = open_book(folder)

    first = anew(book)
    found = anew(book)

    assert first.card.chained is found.card.chained is None
    facts = win.open_facts(book)
    assert_frame_equal(found.score(facts), first.score(facts), check_exact=True)
