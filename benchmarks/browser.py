"""What a reader's browser measures, from inside the page: the same code for every stack."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: The element of one chart in each stack.
CHART = ".picture, .js-plotly-plot, [data-testid=stVegaLiteChart]"
#: How long nothing may change before a redraw counts as finished, in milliseconds.
QUIET = 300

#: Times are of `performance.now()`, from the start of the navigation. `seen`: all three charts stand on the
#: screen (two frames later); `answers`: likewise, and none of them is a prepared picture. `move`: the last key,
#: then `drawn`: two frames after the last change of any chart's marks, once all three have changed.
IN_PAGE = """(() => {
  const CHART = %(chart)r;
  const bench = window.bench = {seen: null, answers: null, moved: 0, changed: new Set(), drawn: 0, last: 0};
  const roots = () => {
    const found = [document];
    for (let i = 0; i < found.length; i++)
      for (const each of found[i].querySelectorAll('*')) if (each.shadowRoot) found.push(each.shadowRoot);
    return found;
  };
  const stands = (chart) => {
    const marks = chart.querySelector('svg path, canvas');
    if (!marks || getComputedStyle(chart).visibility === 'hidden') return false;
    const {width, height} = chart.getBoundingClientRect();
    return width > 0 && height > 0;
  };
  const charts = () => roots().flatMap((root) => [...root.querySelectorAll(CHART)]).filter(stands);
  const painted = (tell) => requestAnimationFrame(() => requestAnimationFrame(() => tell(performance.now())));
  bench.charts = charts;
  const look = () => {
    const n = charts().length;
    if (n >= 3 && bench.seen === null) { bench.seen = -1; painted((at) => bench.seen = at); }
    if (n >= 3 && !document.getElementById('picture')) return painted((at) => bench.answers = at);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const change = (node) => {
    const element = node.nodeType === 1 ? node : node.parentElement;
    if (!bench.moved || !element?.closest?.('svg, canvas')) return;
    const chart = element.closest(CHART);
    if (!chart) return;
    bench.changed.add(chart);
    bench.last = performance.now();
    if (bench.waits) return;
    bench.waits = true;
    requestAnimationFrame(() => {
      bench.waits = false;
      requestAnimationFrame(() => bench.drawn = performance.now());
    });
  };
  bench.watch = () => {
    const observer = new MutationObserver((all) => all.forEach(({target, addedNodes}) => {
      change(target);
      for (const node of addedNodes)
        for (const each of [node, node.querySelector?.('svg, canvas')]) if (each) change(each);
    }));
    const all = {subtree: true, childList: true, attributes: true, characterData: true};
    for (const root of roots()) observer.observe(root, all);
    for (const name of ['fill', 'stroke', 'fillRect', 'clearRect', 'fillText']) {
      const own = CanvasRenderingContext2D.prototype[name];
      CanvasRenderingContext2D.prototype[name] = function (...given) {
        change(this.canvas);
        return own.apply(this, given);
      };
    }
    window.addEventListener('keydown', (event) => {
      bench.changed.clear();
      bench.drawn = bench.last = 0;
      bench.moved = event.timeStamp;
    }, {capture: true});
  };
  bench.finished = () => {
    if (performance.now() - bench.last < %(quiet)d || bench.drawn < bench.last) return null;
    return charts().every((chart) => bench.changed.has(chart)) ? bench.drawn - bench.moved : null;
  };
})()"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium, or the one that playwright installed."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def reader(browser: Browser, cookies: Sequence[Any] = ()) -> BrowserContext:
    """A reader with nothing in the cache but these cookies."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.add_cookies(list(cookies))
    context.add_init_script(IN_PAGE % {"chart": CHART, "quiet": QUIET})
    return context


def visit(context: BrowserContext, address: str) -> tuple[Page, float, float]:
    """Open a page; give it with the milliseconds until its charts were seen and until they answered."""
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_function("bench.answers > 0", timeout=60_000)
    return page, *page.evaluate("[bench.seen, bench.answers]")


def move(page: Page, key: str) -> float:
    """Press a key on the slider; give the milliseconds until all three charts were redrawn and painted."""
    page.keyboard.press(key)
    return page.wait_for_function("bench.finished()", timeout=60_000, polling=20).json_value()


def slider(page: Page) -> Any:
    """The page's slider, with the focus."""
    found = page.locator("input[type=range], [role=slider]").first
    found.focus()
    page.evaluate("bench.watch()")
    return found


#: The values that stand in each chart's marks, by label: from the row behind each mark, or from Plotly's traces.
_SHOWN = """bench.charts().map((chart) => {
  const shown = {};
  for (const {x, y, type, orientation} of chart.data ?? [])
    x.forEach((value, i) => orientation === 'h' || type === 'scatter' ? shown[y[i]] = value : shown[value] = y[i]);
  for (const mark of chart.querySelectorAll('path, line')) {
    const row = mark.__data__?.datum;
    const month = row?.closed_month && new Date(row.closed_month).toISOString().slice(0, 10);
    const label = row?.region ?? row?.sector ?? month;
    if (label) shown[label] = row.win_rate ?? row.revenue;
  }
  return shown;
})"""


def shown(page: Page) -> list[dict[str, float]]:
    """What the three charts show: value by label."""
    return list(page.evaluate(_SHOWN))
