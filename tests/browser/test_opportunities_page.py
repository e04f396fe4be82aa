"""The Opportunities page in a real browser, as a reader uses it."""

import io
import re

import polars as pl
import pytest
from served import now, serving_here

from cadran.publish.apps import shipped_apps
from cadran.publish.site import Site

pytestmark = pytest.mark.browser

ANSWERED = "n => +document.querySelector('#live [data-answered]').dataset.answered >= n"
HEADLINES = "[data-slot=headlines]"
FIRST = "/opportunities?lang=en"


@pytest.fixture(scope="module")
def served(small_company):
    """Where a company of 300 deals is shown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CADRAN_BOOK", "")
        site = Site(small_company, [app for app in shipped_apps() if app.name == "opportunities"], clock=now)
        site.warm_up()
        with serving_here(site) as address:
            yield address


class Reader:
    """A window of its own that notes what goes wrong in it."""

    def __init__(self, chromium, served, **context):
        self.served, self.wrong = served, []
        self.page = chromium.new_context(**({"viewport": {"width": 1280, "height": 900}} | context)).new_page()
        self.page.set_default_timeout(60_000)  # beside other tests, on two cores
        self.page.on("console", lambda told: self.wrong.append(told.text) if told.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def go(self, address):
        self.page.goto(self.served + address)
        self.page.wait_for_selector("#live:not(.coming) [data-answered]", state="attached")
        self.page.wait_for_selector("#live [data-live=stock] svg")
        return self.page


@pytest.fixture
def visit(served, chromium):
    """`visit(address, **context)`: the live page at an address; fails the test if the console held an error."""
    readers = []

    def go(address, **context):
        readers.append(Reader(chromium, served, **context))
        return readers[-1].go(address)

    yield go
    for reader in readers:
        reader.page.context.close()
    assert [reader.wrong for reader in readers if reader.wrong] == []


@pytest.fixture(scope="module")
def first_reader(served, chromium):
    """Who reads the page as it first stands, in one window for many tests."""
    reader = Reader(chromium, served, color_scheme="light")
    yield reader
    reader.page.context.close()


@pytest.fixture
def page(first_reader, request):
    """The live page as it first stands: loaded anew only if the test before left it otherwise."""
    reader, failed = first_reader, request.session.testsfailed
    if reader.page.url != f"{reader.served}{FIRST}":
        reader.go(FIRST)
    yield reader.page
    wrong, reader.wrong = reader.wrong, []
    if wrong or request.session.testsfailed > failed:
        reader.page.goto("about:blank")
    assert wrong == []


def answered(page):
    """How many changes of the view have been answered."""
    return int(page.locator("#live [data-answered]").get_attribute("data-answered"))


class changes:  # noqa: N801
    """With this, a change of the view is waited for until it is drawn."""

    def __init__(self, page, slot="headlines"):
        self.page, self.n = page, answered(page)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.page.wait_for_function(ANSWERED, arg=self.n + 1)


def click_row(page, slot, words):
    """Click the line of a group in a horizontal figure, in the middle of it."""
    label = page.locator(f"#live [data-live={slot}] svg text", has_text=re.compile(f"^{words}$")).first.bounding_box()
    picture = page.locator(f"#live [data-live={slot}] svg").bounding_box()
    page.mouse.click(picture["x"] + picture["width"] / 3, label["y"] + label["height"] / 2)


def test_a_click_filters_all_else_and_escape_clears(page):
    before = page.locator(HEADLINES).inner_text()

    with changes(page):
        click_row(page, "groups", "Nord")
    assert "in.region=Nord" in page.url
    assert "Region: Nord" in page.locator("[data-slot=selection]").inner_text()
    assert page.locator(HEADLINES).inner_text() != before
    regions = page.locator("#live [data-live=groups] svg").text_content()
    assert all(region in regions for region in ("Nord", "Grand Ouest", "Sud-Est"))

    with changes(page):
        page.keyboard.press("Escape")
    assert "in.region" not in page.url
    page.wait_for_function("t => document.querySelector('#live > div').shadowRoot"
                           ".querySelector('[data-slot=headlines]').innerText === t", arg=before)  # fmt: skip


def lines(page, slot):
    """The lines of a horizontal figure from the top down, as they stand on the screen."""
    found = page.locator(f"#live [data-live={slot}] svg g.role-axis-label text").all()
    placed = [(each.bounding_box(), each.text_content()) for each in found]
    left = min(box["x"] + box["width"] for box, _ in placed)
    return [text for box, text in sorted(placed, key=lambda each: each[0]["y"]) if box["x"] + box["width"] <= left + 2]


def test_lines_stand_in_the_order_of_their_rows_after_the_date_has_moved(page, visit):
    slots = ("clients", "bridge")
    there = visit(f"{FIRST}&as_of=2026-04-30")
    expected = {slot: lines(there, slot) for slot in slots}
    assert all(len(found) > 4 for found in expected.values())
    before = {slot: lines(page, slot) for slot in slots}
    assert all(before[slot] != expected[slot] for slot in slots)

    with changes(page):
        page.locator("input[type=date]").first.fill("2026-04-30")
    for _ in range(20):
        if (moved := {slot: lines(page, slot) for slot in slots}) == expected:
            break
        page.wait_for_timeout(100)
    assert moved == expected


def test_the_address_brings_the_view_back(visit):
    page = visit(
        "/opportunities?lang=en&as_of=2025-03-31&period=year&by=sector&unit=n&in.region=Nord&in.region=Sud-Est"
    )

    selected = page.locator("[data-slot=selection]").inner_text()
    assert "Nord" in selected
    assert "Sud-Est" in selected
    assert "1 Jan 2025 to 31 Mar 2025" in page.locator("[data-slot=sentences]").inner_text()
    assert page.locator("select[data-control=by]").input_value() == "sector"
    with changes(page):
        page.locator("[data-act=clear][data-value=Nord]").click()
    assert "in.region=Sud-Est" in page.url
    assert "in.region=Nord" not in page.url
    assert "as_of=2025-03-31" in page.url


def test_the_month_slider_moves_every_figure_without_drawing_it_anew(page):
    page.evaluate("document.querySelector('#live > div').shadowRoot.querySelector('[data-live=groups] svg').mark = 1")
    slider = page.locator("input.slider")
    slider.focus()

    with changes(page):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('#live > div').shadowRoot"
                           ".querySelector('[data-slot=sentences]').innerText.includes('31 May 2026')")  # fmt: skip

    assert "as_of=2026-05-31" in page.url
    assert page.locator("output[data-day=as_of]").inner_text() == "31 May 2026"
    assert (
        page.evaluate("document.querySelector('#live > div').shadowRoot.querySelector('[data-live=groups] svg').mark")
        == 1
    )


def test_french_to_the_last_word_taken_away_and_back_to_english_with_the_same_view(visit):
    page = visit("/opportunities?lang=fr&as_of=2025-03-31&in.region=Nord")

    text = page.locator("#live > div .page").inner_text()
    assert "Taux de transformation" in text
    assert "31 mars 2025" in text
    assert not re.search(r"\b(Win rate|deals|Filters|Search|Clear)\b", text)

    def taken(slot, kind):
        menu = page.locator(f"[data-slot={slot}] details.menu").first
        if menu.get_attribute("open") is None:
            menu.locator("summary").click()
        with page.expect_download() as download:
            menu.locator(f"[data-format={kind}]").click()
        assert download.value.suggested_filename.endswith(kind)
        return download.value.path().read_bytes()

    assert b"Taux de transformation" in taken("groups", "svg")
    assert b"\x89PNG" in taken("groups", "png")
    assert "Région;".encode() in taken("groups", "csv")
    rows = pl.read_excel(io.BytesIO(taken("deals", "xlsx")))
    count = page.locator("[data-slot=deals] .pages > span").inner_text()
    assert rows.height == int(re.sub(r"\D", "", count)) > 0

    page.locator("[data-language=en]").click()
    page.wait_for_selector("#live [data-answered]", state="attached")
    page.wait_for_url("**lang=en**")
    assert "as_of=2025-03-31" in page.url
    assert "in.region=Nord" in page.url


def test_a_phone_scrolls_down_only(visit):
    page = visit("/opportunities?lang=fr", viewport={"width": 390, "height": 844}, is_mobile=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    widths = page.evaluate("[...document.querySelector('#live > div').shadowRoot.querySelectorAll('.place')]"
                           ".map(e => e.getBoundingClientRect().right)")  # fmt: skip
    assert max(widths) <= 390


def test_the_table_sorts_searches_turns_its_pages_and_opens_a_deal(page):
    deals = page.locator("#live [data-slot=deals]")
    first = deals.locator("tbody tr").first

    with changes(page):
        deals.locator("th button", has_text="Deal").first.click()
    assert deals.locator("th").first.get_attribute("aria-sort") == "ascending"
    top = first.inner_text()
    with changes(page):
        deals.locator("[aria-label='Next page']").click()
    assert first.inner_text() != top
    deal = first.locator("button").inner_text()
    with changes(page):
        deals.locator("input[type=search]").fill(deal)
    page.wait_for_function("d => document.querySelector('#live > div').shadowRoot"
                           ".querySelector('[data-slot=deals] .pages span').innerText === '1 row'", arg=deal)  # fmt: skip
    with changes(page):
        first.locator("button").click()
    assert f"Deal {deal}" in page.locator("[data-slot=detail]").inner_text()
    with changes(page):
        page.keyboard.press("Escape")
    assert page.locator("[data-slot=detail]").inner_text() == ""


def test_the_keyboard_reaches_everything(page):
    page.keyboard.press("?")
    assert page.locator("dialog.help[open]").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    assert page.evaluate("document.querySelector('#live > div').shadowRoot.activeElement.dataset.control") == "by"
    page.locator("details.filters summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    with changes(page):
        page.keyboard.press("Enter")
    assert "in.region" in page.url
    focused = "document.querySelector('#live > div').shadowRoot.activeElement?.dataset.toggle"
    assert page.evaluate(focused) == "region"


def test_each_figure_says_its_finding_and_shows_its_table(page):
    for picture in page.locator("#live [data-live]").all():
        assert len(picture.get_attribute("aria-label")) > 60
    menu = page.locator("[data-slot=groups] details.menu")
    menu.locator("summary").click()
    with changes(page):
        menu.locator("[data-act=behind]").click()
    rows = page.locator("[data-slot=groups] tbody tr")
    assert rows.count() == 5
    with changes(page):
        rows.nth(0).locator("button").click()
    assert page.locator("[data-slot=groups] tbody tr.selected").count() == 1


def test_the_first_sight_shows_the_numbers_of_the_live_page(page, served, chromium):
    live = page.locator(HEADLINES).inner_text()

    still = chromium.new_context(java_script_enabled=False).new_page()
    still.goto(f"{served}{FIRST}")
    assert still.locator(f"#picture {HEADLINES}").inner_text() == live
    still.context.close()


def test_light_turns_dark_at_once(page):
    ground = "getComputedStyle(document.querySelector('#live > div').shadowRoot.querySelector('.page')).backgroundColor"
    light = page.evaluate(ground)

    page.locator("[data-act=theme]").click()

    assert page.evaluate(ground) != light
    assert "theme=dark" in page.url


def test_the_theme_chosen_holds_on_the_next_page(visit):
    page = visit(FIRST, color_scheme="light")
    page.click("#live button[data-act=theme]")
    page.click("#live details.sheets summary")
    page.click("#live details.sheets a >> nth=1")

    page.wait_for_selector("#live:not(.coming) [data-answered]", state="attached")
    assert "theme=dark" in page.url
    assert page.locator("html").get_attribute("data-cadran-theme") == "dark"
