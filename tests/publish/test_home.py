"""The home page: the pages' own first numbers, what changed since the last visit, what to know of the data."""

import http.client
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest
from served import serving_here
from signed import book

from cadran.figures.blocks import Headline, Headlines, Sentences
from cadran.publish.apps import App
from cadran.publish.prepared import FirstSight
from cadran.publish.site import Site

DAY = date(2026, 6, 30)
DEALS = [
    {"status": "won", "closed": DAY - timedelta(3), "created": date(2026, 5, 1), "amount": 4000.0},
    {"status": "won", "closed": DAY - timedelta(3), "created": DAY - timedelta(5), "amount": 300.0},
    {"status": "lost", "closed": DAY - timedelta(20), "created": date(2026, 5, 1), "amount": 7000.0},
    {"created": DAY - timedelta(2), "amount": 900.0},
    {"created": date(2026, 5, 1), "amount": None},
    {"created": date(2026, 5, 1), "amount": 1.0},
    {"status": "won", "closed": DAY - timedelta(7), "created": date(2026, 5, 1), "amount": 50000.0},
    {"created": DAY - timedelta(6), "amount": 20.0},
]


class Clock:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def served(tmp_path, clock, monkeypatch, request):
    """A site of two axes on a tiny book: one says something, the other is not known yet; and what asks it."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    book(tmp_path, DEALS, DAY)
    notebook = request.path.parent / "notebooks" / "page.py"
    apps = [App("told", "Opportunities", notebook, is_page=True), App("late", "Sales process", notebook, is_page=True)]
    site = Site(tmp_path, apps, clock=clock)
    lead = {"sentences": Sentences(["It is so.", "And so."]), "headlines": Headlines([Headline("Sum", "12 €")])}
    sights = {"told": FirstSight("", lead), "late": None}
    monkeypatch.setattr(site.sights, "made", lambda app, *_: sights[app.name])
    with serving_here(site) as address:
        yield tmp_path, sights, lambda path, cookie="": ask(address, path, cookie)


def ask(address, path, cookie):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return answer, page


def told(page):
    text = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).replace("\xa0", " ").split())


def kept(answer):
    return answer.headers["set-cookie"].split(";")[0]


def test_tells_each_axis_by_its_own_first_words(served):
    _, _, asking = served
    answer, page = asking("/?lang=en")
    said = told(page)

    assert (answer.status, '<html lang="en">' in page) == (200, True)
    assert "It is so." in said
    assert "And so." not in said
    assert "Sum 12 €" in said
    assert 'href="/told?lang=en"' in page
    assert "data of 30 Jun 2026 23:00" in said


def test_what_is_not_known_yet_comes_once_it_is(served):
    _, sights, asking = served
    assert re.search(r'<section class=axis data-axis="late" aria-busy=true>', asking("/?lang=en")[1])
    assert asking("/home/late?lang=en")[0].status == 202

    sights["late"] = sights["told"]
    answer, part = asking("/home/late?lang=fr")
    assert (answer.status, "aria-busy" in part, "Processus de vente" in part) == (200, False, True)
    assert asking("/home/nothing")[0].status == 404


def test_while_the_book_cannot_be_read_it_says_so_and_comes_back(served):
    folder, _, asking = served
    for broken in (folder / "CURRENT", folder / "000001" / "manifest.json"):
        broken.rename(broken.with_name("away"))
        for path in ("/?lang=en", "/home/late?lang=en"):
            answer, page = asking(path)
            assert (answer.status, "cannot be read at this moment" in page) == (503, True)
        broken.with_name("away").rename(broken)
        assert asking("/?lang=en")[0].status == 200


def test_the_last_week_is_told_at_a_first_visit(served):
    _, _, asking = served
    said = told(asking("/?lang=en")[1])

    assert "The last days of the data: after 23 Jun 2026, up to 30 Jun 2026" in said
    # Won since, also what came and went within the week; lost before it; new and still open; open now, from what it was.
    assert "Deals won 4.3 k€ 2 deals" in said
    assert "Deals lost 0 € 0 deals" in said
    assert "New, still open 920 € 2 deals" in said
    assert "Open pipeline 921 € −3.08 k€, +1 deal 4 deals, 1 amount unknown" in said
    assert re.search(r"28 Jun d00003 new, 900 € 27 Jun d00000 won, 4 k€ 27 Jun d00001 won, 300 €", said)
    assert "7 k€" not in said


def test_then_what_became_of_the_data_since_the_last_visit(served, clock):
    folder, _, asking = served
    cookie = kept(asking("/?lang=en")[0])
    clock.now += timedelta(days=8)
    book(folder, [*DEALS, {"created": DAY + timedelta(2), "amount": 50.0}], DAY + timedelta(7))
    answer, page = asking("/?lang=en", cookie)
    said = told(page)

    assert "Since your last visit: from the data of 30 Jun 2026 to that of 7 Jul 2026" in said
    assert "New, still open 50 € 1 deal" in said
    # It is told for as long as the visit goes on; after that, where nothing is newer, the last days are told.
    clock.now += timedelta(minutes=1)
    assert "Since your last visit" in told(asking("/?lang=en", kept(answer))[1])
    clock.now += timedelta(days=1)
    assert "The last days of the data" in told(asking("/?lang=en", kept(answer))[1])


def test_old_data_is_told(served, clock):
    _, _, asking = served
    assert "newer import" not in told(asking("/?lang=en")[1])
    clock.now += timedelta(days=30)
    assert "The data is 30 days old: a newer import is due." in told(asking("/?lang=en")[1])


def test_a_book_without_deals_has_a_home_page(served):
    folder, _, asking = served
    book(folder, [], DAY)

    assert "Deals won 0 € 0 deals" in told(asking("/?lang=en")[1])
