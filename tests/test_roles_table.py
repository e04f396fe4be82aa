"""The table of docs/individual.md says of every role and every kind of data what a book tells: held to what it does tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from cadran.book import Reader, open_book
from cadran.book.reader import RIGHTS
from cadran.book.whole import whole_of
from cadran.measures import MEASURES, Question
from cadran.measures.one_to_ones import waiting
from cadran.measures.releases import released
from cadran.models.pay import payouts, payroll, trace
from cadran.models.pay_read import plans_of
from cadran.tables.problems import Problem

DOC = Path(__file__).parent.parent / "docs" / "individual.md"
REGION = "Sud-Est"


def table():
    """The table as (kind, role) -> what is said."""
    rows = [line.strip("|").split("|") for line in DOC.read_text("utf-8").splitlines() if line.startswith("| ")]
    head = next(place for place, row in enumerate(rows) if "`analyst`" in row[1])
    roles = [cell.strip().strip("`") for cell in rows[head][1:]]
    found = {}
    for row in rows[head + 1 :]:
        cells = [cell.strip() for cell in row]
        if len(cells) != len(roles) + 1:
            break
        found |= {(cells[0], role): said for role, said in zip(roles, cells[1:], strict=True)}
    return found


def of_persons(ids, rep):
    ids = set(ids) - {None}
    if ids and all(each.startswith("person.") for each in ids):
        return "scope, unnamed"
    return "–" if not ids else "their own" if ids == {rep} else "scope"


def measured(name):
    def of(book, rep):
        told = MEASURES[name].ask(book, Question(by=("rep_id",)))
        return of_persons(told["rep_id"], rep)

    return of


def paid(book):
    return payroll(book, next(iter(plans_of(book)[0].values())))


def pay_of_persons(book, rep):
    told = payouts(paid(book))
    found = of_persons(told.filter(level="rep")["group"], rep)
    if found != "–":
        trace(paid(book), told.filter(level="rep")["group"][0])
    return found


def surveys(book, rep):
    whole = {(each.name, *row) for each in released(replace(book, reader=None)) for row in keys(each)}
    seen = {(each.name, *row) for each in released(book) for row in keys(each)}
    return "whole" if seen == whole else "company" if {row[1] for row in seen} == {"company"} else "scope"


def keys(each):
    return each.groups.select("cut", "parent", "group").rows()


def one_to_ones(book, rep):
    try:
        waiting(book, book.reader.id, book.day)
    except Problem as problem:
        return "–" if "manager alone" in str(problem) else "their own people"
    return "their own people"


KINDS = {
    "Deals, clients, touches": (False, lambda book, rep: of_persons(book.collect(book.deals(["rep_id"]))["rep_id"], rep)),
    "How much one person has to do": (False, measured("load")),
    "How well one person does": (True, measured("win_rate")),
    "What one person is paid, line by line": (True, pay_of_persons),
    "What groups of three or more are paid": (False, lambda book, rep: "–" if payouts(paid(book)).is_empty() else "scope"),
    "Forecasts, plans, coaching of groups": (False, lambda book, rep: "scope" if whole_of(book, "cadran.models.capacity") else ""),
    "Surveys as they were released": (False, surveys),
    "Who waits for a one-to-one": (False, one_to_ones),
}  # fmt: skip


def told(book, kind, rep):
    needs_opening, ask = KINDS[kind]
    try:
        return ask(replace(book, rates_persons=needs_opening), rep)
    except Problem:
        return "–"


@pytest.fixture(scope="module")
def rep(small_company):
    book = open_book(small_company)
    deals = book.collect(book.deals(["rep_id", "region", "status"])).filter(region=REGION, status="won")
    return deals["rep_id"].drop_nulls().mode().sort()[0]


def test_the_table_names_every_role_and_kind():
    assert {role for _, role in table()} == RIGHTS.keys()
    assert {kind for kind, _ in table()} == KINDS.keys()


@pytest.mark.parametrize("role", RIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_role_is_told_is_what_the_table_says(small_company, rep, kind, role):
    of = {"persons": frozenset({rep})} if role == "seller" else {"regions": frozenset({REGION})}
    book = open_book(small_company, Reader("x", role, **of))

    assert told(book, kind, rep) == table()[kind, role]


@pytest.mark.parametrize("kind", ["How well one person does", "What one person is paid, line by line"])
@pytest.mark.parametrize("role", RIGHTS)
def test_nobody_is_told_it_where_it_is_not_opened(small_company, rep, kind, role):
    of = {"persons": frozenset({rep})} if role == "seller" else {"regions": frozenset({REGION})}
    book = open_book(small_company, Reader("x", role, **of))

    try:
        found = KINDS[kind][1](book, rep)
    except Problem:
        found = "–"
    assert found == "–"
