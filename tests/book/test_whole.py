"""One door leads to the whole company's book, and what comes through it names nobody who is out of scope."""

import ast
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cadran.book import Reader, open_book
from cadran.book.whole import HANDED_ON, whole_of
from cadran.measures import MEASURES, Question
from cadran.models import kept
from cadran.models.capacity import capacity
from cadran.models.coaching import coaching
from cadran.models.forecast import foretold
from cadran.models.outlook import outlook
from cadran.models.pay_beside import plans_beside
from cadran.models.territories_proposed import proposed
from cadran.tables.problems import Problem

LIB = Path(__file__).parent.parent.parent / "lib" / "cadran"
NORD = Reader("n", "manager", regions=frozenset({"Nord"}))


def callers():
    """The modules that ask for the whole company's book, and those that make one themselves."""
    through, around = set(), set()
    for path in LIB.glob("**/*.py"):
        name = ".".join(path.relative_to(LIB).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if getattr(node.func, "id", "") == "whole_of":
                through.add(name)
                assert ast.unparse(node.args[1]) == "__name__"
            if any(each.arg == "reader" and ast.unparse(each.value) == "None" for each in node.keywords):
                around.add(name)
    return through, around


def test_nobody_goes_round_the_door():
    through, around = callers()

    assert through == HANDED_ON.keys()
    assert around == {"book.whole", "book.reach"}


def test_who_is_not_in_the_list_gets_nothing(small_company):
    with pytest.raises(KeyError):
        whole_of(open_book(small_company, NORD), "cadran.models.new")


@pytest.mark.parametrize("role", ["seller", "pay"])
def test_who_leads_nobody_is_told_no_plans(small_company, role):
    persons = {"persons": frozenset({"R001"})} if role == "seller" else {}
    book = open_book(small_company, Reader("x", role, **persons))

    for ask in (foretold, capacity, coaching, proposed):
        with pytest.raises(Problem, match="for those who lead them"):
            ask(book)


def texts(thing, seen=None, depth=0):
    """Every text in the frames and plain values that hang on something."""
    seen = set() if seen is None else seen
    if id(thing) in seen or depth > 6:
        return
    seen.add(id(thing))
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, pl.DataFrame):
        for column in thing.select(pl.selectors.string()):
            yield from column.drop_nulls().unique()
    elif isinstance(thing, dict):
        for each in [*thing, *thing.values()]:
            yield from texts(each, seen, depth + 1)
    elif isinstance(thing, list | tuple):
        for each in thing:
            yield from texts(each, seen, depth + 1)


def handed_on(book):
    """The frames that pages and commands show a reader of what models learnt from the whole company."""
    forecast, hiring, model = foretold(book), capacity(book), kept.model(book)
    found = {
        "forecast": [
            forecast.table(by, every) for by in ("company", "region", "team") for every in ("month", "quarter")
        ],
        "signed": [forecast.signed(by) for by in ("company", "region")],
        "plan": [hiring.plan.frame(), hiring.hire_by, hiring.timing],
        "card": [getattr(model.card, each.name) for each in fields(model.card) if is_dataclass(model.card)],
    }
    for name, ask in {"coached": coaching, "outlook": outlook, "pay": plans_beside, "shared": proposed}.items():
        try:
            told = ask(book)
        except Problem:
            continue
        if name == "coached":
            found[name] = [getattr(told, part) for part in ("funnel", "limits", "dwell", "help", "practices", "well")]
        elif name == "outlook":
            found[name] = [told.facts, told.scores]
        elif name == "pay":
            found[name] = [told.curves, told.compared, told.flags(str)]
        else:
            found[name] = [told.balance, told.teams, told.moves]
    return found


def test_what_is_handed_on_names_no_deal_and_nobody_out_of_scope(small_company):
    whole, book = open_book(small_company), open_book(small_company, NORD)
    own = {name: set(book.collect(book.table("reps"))[name].drop_nulls()) for name in ("rep_id", "name")}
    others = whole.collect(whole.table("reps"))
    secret = {each for name in own for each in others[name].drop_nulls() if each not in own[name]}
    deals = set(whole.collect(whole.deals(["opportunity_id"]))["opportunity_id"])
    secret |= deals - set(book.collect(book.deals(["opportunity_id"]))["opportunity_id"])
    secret |= {"Sud-Est", "Lyon", "Ile-de-France"}
    assert len(secret) > 200

    found = handed_on(book)

    assert set(texts(handed_on(whole))) & secret  # the same, of who sees all, does name them
    assert {name: leaks for name, each in found.items() if (leaks := set(texts(each)) & secret)} == {}
    assert len(found) >= 6


def test_a_model_of_the_company_tells_every_reader_the_same_chances(small_company):
    whole, book = open_book(small_company), open_book(small_company, NORD)

    alike = kept.model(book), kept.model(whole)

    assert alike[0] is alike[1]
    asked = Question(since=date(2025, 1, 1))
    assert MEASURES["volumes"].ask(book, asked)["n_open"][0] < MEASURES["volumes"].ask(whole, asked)["n_open"][0]
