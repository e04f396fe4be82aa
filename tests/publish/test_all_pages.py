"""Every page, in whatever state and whatever is asked of it: it answers, and names no folder of this machine."""

import json
import sysconfig
from pathlib import Path
from urllib.parse import urlencode

import pytest
from intruder import Target, all_heard, heard
from quick import no_past, quick_model
from served import now, serving_here

from cadran.publish.apps import App, shipped_apps
from cadran.publish.places import Places
from cadran.publish.site import Site
from cadran.text import LANGUAGES

HERE = Path(__file__).parent
TELLING = App("telling", "Telling", HERE / "notebooks" / "telling.py", is_page=True)
BROKEN = App("broken", "Broken", HERE / "notebooks" / "broken.py", is_page=True)


@pytest.fixture(scope="module")
def there(small_company):
    """All shipped pages, one that fails, and one that says where things are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CADRAN_BOOK", "")
        patch.setattr("cadran.models.kept.model", lambda book: quick_model(book, "logit"))
        patch.setattr("cadran.models.kept.past", no_past)
        patch.setattr("cadran.models.forecast.past_forecasts", lambda book, seed: no_past(book))
        site = Site(small_company, [*shipped_apps(), TELLING, BROKEN], complain=lambda _: None, clock=now)
        for app in site.apps.values():
            for language in LANGUAGES:
                site.sights.make(app, language)
        with serving_here(site) as address:
            yield Target(address, None)


@pytest.fixture(scope="module")
def marks(small_company):
    """What no reader may read."""
    package = Path(__file__).parents[2] / "lib"
    return [str(each) for each in (small_company, package, sysconfig.get_paths()["purelib"], Path.home(), HERE.parent)]


def found(text, marks):
    return [mark for mark in marks if mark in text]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*(app.name for app in shipped_apps()), "telling", "broken"])
def test_no_page_names_a_folder(there, marks, name, language):
    first = there.ask(f"/{name}?lang={language}")[1]
    with there.open(app=name, query=f"&lang={language}") as live:
        told = heard(live) + all_heard(live, 0.3)

    assert len(told) > 1000
    assert (found(first, marks), found(told, marks)) == ([], [])
    if name == "telling":
        assert "book/000001/versions" in first
        assert "book/000001/versions" in told


def failed(told):
    """What the cells of a live page failed with: one below another that stopped by itself did not."""
    outputs = [
        json.loads(line)["data"].get("output") for line in told.splitlines() if line.startswith('{"op": "cell-op"')
    ]
    errors = [each["data"] for each in outputs if each and each["mimetype"] == "application/vnd.marimo+error"]
    return [each for found in errors for each in found if each["type"] != "ancestor-stopped"]


KEYS = (
    "as_of", "period", "from", "until", "by", "organisation", "past", "horizon", "hours", "since", "lever", "use", "scene",
    "wave", "about", "rise", "rise_of", "keep_a", "every", "ahead", "win", "size", "answer", "quota", "plan", "room_answer",
    "in.region", "in.team", "in.client", "in.closed_month", "in.password", "open", "list.sort", "list.page", "actions.page",
    "lang", "theme", "file", "kiosk", "session_idx", "__class__", "",
)  # fmt: skip


@pytest.mark.parametrize(
    "value", ["9" * 500, "<script>alert(1)</script>", "2026-02-30", "\x00\u202e'\"; --"], ids=range(4)
)
@pytest.mark.parametrize("name", [app.name for app in shipped_apps()])
def test_an_absurd_address_gets_the_page_with_its_defaults_and_a_sentence(there, name, value):
    query = urlencode([(key, value) for key in KEYS] + [(key, value) for key in KEYS[:5]])
    answer, first = there.ask(f"/{name}?{query}")
    with there.open(app=name, query=f"&lang=en&{query}") as live:
        told = heard(live)

    assert answer.status == 200
    assert "<script>alert" not in first
    assert '"outcome":"succeeded"' in told.splitlines()[-1]
    assert failed(told) == []
    assert "is not possible here" in told


def test_no_answer_that_refuses_names_one(there, marks):
    paths = ("/nowhere", "/live/telling/", "/live/telling/@file/9-x", "/live/none/ws", "/static/x", "/s/x")
    told = [there.ask(path)[1] for path in paths]
    told.append(there.ask("/live/telling/api/kernel/set_model_value", "POST", "{", Origin=there.address)[1])

    assert found("".join(told), marks) == []


def test_a_folder_is_hidden_wherever_it_stands_and_nothing_else():
    places = Places(Path("/srv/ours/book"), [Path("/")])
    told = 'in "/srv/ours/book/000001/x.parquet", /srv/ours/bookshelf, /srv/ours/book. and //srv/ours/book'

    assert places.hidden(told) == 'in "book/000001/x.parquet", /srv/ours/bookshelf, book. and //srv/ours/book'
    assert json.loads(places.hidden(json.dumps({"a": "/srv/ours/book/1"}))) == {"a": "book/1"}
    assert places.hidden(f"{Path.home()}/x") == f"{Path.home().name}/x"
