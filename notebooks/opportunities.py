import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full")

with app.setup:
    import marimo as mo

    from cadran.book.held import hold
    from cadran.figures import opportunities_page as sheet
    from cadran.figures.facts import Facts
    from cadran.figures.periods import chosen_period, day_before, last_months, year_before
    from cadran.figures.selection import as_where, states
    from cadran.measures.answers import Inquiry, about, keep, rates
    from cadran.measures.shared import Shared
    from cadran.publish.reading import published_book
    from cadran.text import pick_language, words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def load():
    book = hold(published_book())
    return (book,)


@app.cell
def open_page(book, query):
    facts = Facts(**about(book, sheet.DIMENSIONS))
    page = mo.ui.anywidget(sheet.open_page(facts, words_for(pick_language(query.get("lang"), None)), query))
    page
    return facts, page


@app.cell
def read_view(book, facts, page):
    view = page.asked
    seen = hold(book.as_of(view.day("as_of"), corrected=sheet.is_corrected(view)), sheet.COLUMNS)
    period = chosen_period(view, seen.day, facts.first)
    everything = Inquiry(seen, period, {}, view["organisation"])
    inquiry = everything.selecting(as_where(view.selection), day_before(period[0]))
    shared = Shared(seen, view.key, page.words.language)
    return everything, inquiry, period, seen, shared, view


@app.cell
def ask_totals(inquiry):
    totals = {
        "now": inquiry.ask("volumes"),
        "rate": inquiry.ask("win_rate"),
        "cycle": inquiry.ask("cycle"),
        "index": inquiry.ask("concentration_index"),
    }
    return (totals,)


@app.cell
def ask_groups(inquiry, seen, view):
    months, quarters = last_months(seen.day, 12), last_months(seen.day, 36)
    groups = {
        "months": inquiry.ask("volumes", "closed_month", period=months),
        "months_then": inquiry.ask("volumes", "closed_month", period=year_before(months)),
        "groups": inquiry.ask("win_rate", view["by"]),
        "quarters": inquiry.ask("trend", apart="closed_quarter", period=quarters, every="quarter"),
        "clients": inquiry.ask("client_concentration", apart="client"),
    }
    return (groups,)


@app.cell
def show(everything, facts, groups, inquiry, page, period, shared, totals, view):
    def _told():
        deals = everything.deals(sheet.COLUMNS)
        of, frames = states(deals, inquiry.selected, facts.dimensions), {**totals, **groups}
        told = sheet.Answers(facts, view, page.words, period, of, frames, rates(inquiry.book))
        listing = sheet.listing(told, keep(deals, inquiry.selected))
        return told, {**listing, **sheet.headlines(told), **sheet.figures(told)}

    answers, _blocks = shared("first", _told)
    page.show(_blocks)
    return (answers,)


@app.cell
def ask_pipeline(inquiry, period, seen, view):
    mo.stop(view.moving)  # until the slider rests
    pipeline = {
        "bridge": inquiry.ask("waterfall", apart="opportunity_id", period=(day_before(period[0]), period[1])),
        "stock": inquiry.ask("pipeline", period=last_months(seen.day, 12)),
        "slippage": inquiry.ask("slippage"),
        "compared": inquiry.ask("volumes_compared"),
        "compared_rate": inquiry.ask("win_rate_compared"),
        "cycles": inquiry.ask("cycle", view["by"]),
        "effects": inquiry.ask("before_after", period=last_months(seen.day, 36)),
    }
    return (pipeline,)


@app.cell
def show_pipeline(answers, page, pipeline, shared):
    def _told():
        whole = answers.with_frames(pipeline)
        figures = {**sheet.pipeline_figures(whole), **sheet.effects(whole)}
        return {**sheet.sentences(whole), **sheet.headlines(whole), **figures}

    page.show(shared("pipeline", _told))
    return


if __name__ == "__main__":
    app.run()
