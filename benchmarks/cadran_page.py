import marimo

__generated_with = "0.25.2"
app = marimo.App()

with app.setup:
    import marimo as mo

    from benchmarks import charts, content
    from cadran.figures.controls import Day
    from cadran.figures.page import Page
    from cadran.publish.reading import published_book
    from cadran.text import words_for


@app.cell
def address():
    query = mo.query_params()
    return (query,)


@app.cell
def show(query):
    words = words_for(query.get("lang") or "en")
    _days = content.steps()
    _slider = Day("day", "Known by", _days[0], _days[-1], _days[-1].isoformat(), slides=True)
    _book = published_book()
    page = Page(content.TITLE, words, [_slider], places=[("months", "regions"), ("sectors",)])

    def _answer(_change=None):
        found = content.answer(page.asked.day("day"), _book)
        page.show(
            {
                "months": charts.revenue_by_month(found.months, words=words, title=content.MONTHS),
                "regions": charts.win_rate_by_region(found.regions, words=words, title=content.REGIONS),
                "sectors": charts.revenue_by_sector(found.sectors, words=words, title=content.SECTORS),
            }
        )

    page.observe(_answer, "view")
    _answer()
    page  # noqa: B018
    return (page,)


if __name__ == "__main__":
    app.run()
