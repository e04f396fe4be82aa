import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full")

with app.setup:
    import os
    from datetime import UTC, datetime

    import marimo as mo

    from cadran.book import SAMPLE, open_book
    from cadran.book.held import hold
    from cadran.figures import resources_load as loaded
    from cadran.figures import resources_page as sheet
    from cadran.figures.facts import Facts
    from cadran.figures.periods import chosen_period, day_before, last_months
    from cadran.figures.resources_lead import first_words
    from cadran.figures.selection import as_where, states
    from cadran.measures.answers import Inquiry, about, keep, values
    from cadran.text import pick_language, words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def load():
    book = hold(open_book(os.environ.get("CADRAN_BOOK", SAMPLE), on=datetime.now(UTC).date()))
    return (book,)


@app.cell
def open_page(book, query):
    facts, reached = Facts(**about(book, sheet.DIMENSIONS)), values(book, sheet.REACHED)
    reach = sheet.Reach(reached["segment"], reached["region"])
    page = mo.ui.anywidget(sheet.open_page(facts, reach, words_for(pick_language(query.get("lang"), None)), query))
    page
    return facts, page, reach


@app.cell
def read_view(book, facts, page):
    view = page.asked
    seen = hold(book.as_of(view.day("as_of"), corrected=sheet.is_corrected(view)), sheet.COLUMNS)
    period = chosen_period(view, seen.day, facts.first)
    everything = Inquiry(seen, period, {}, view["organisation"])
    all_deals = everything.deals(sheet.COLUMNS)
    inquiry = everything.selecting(as_where(view.selection), day_before(period[0]))
    of = states(all_deals, inquiry.selected, facts.dimensions)
    return all_deals, inquiry, of, period, seen, view


@app.cell
def show_frame(all_deals, facts, inquiry, of, page, period, view):
    local = sheet.local(page)
    answers = sheet.Answers(facts, view, page.words, period, of, {}, {})
    rests, asked = not view.moving or view.moving in local, view.without(*local)
    is_other = rests and page.is_new("footer", asked)
    page.show(sheet.frame_of(page, answers, keep(all_deals, inquiry.selected).height), is_other=is_other)
    return answers, asked, rests


@app.cell
def ask_load(answers, asked, inquiry, page, rests, seen, view):
    mo.stop(not rests or not sheet.wants(view, "balance") or not page.is_new("balance", (asked, view["scene"])))
    loads = answers.with_frames(
        {
            "load": inquiry.ask("load", view["by"], period=last_months(seen.day, 1)),
            "load_whole": inquiry.ask("load", period=last_months(seen.day, 24)),
            "balance": inquiry.ask("balance", sheet.place_of(answers)),
            "balance_whole": inquiry.ask("balance"),
            "attainment": inquiry.ask("attainment", sheet.place_of(answers), period=last_months(seen.day, 3)),
            "attainment_whole": inquiry.ask("attainment", period=last_months(seen.day, 3)),
        }
    )
    page.show(
        sheet.only(
            view, {**loaded.load(loads), **loaded.balance(loads), **loaded.over_time(loads), **loaded.attainment(loads)}
        )
    )
    return (loads,)


@app.cell
def show_first(loads, page, view):
    page.show(sheet.only(view, first_words(loads)))
    return


@app.cell
def ask_staff(answers, asked, inquiry, page, rests, seen, view):
    mo.stop(not rests or not sheet.wants(view, "tenure") or not page.is_new("tenure", asked))
    staffed = answers.with_frames(
        {
            "growth": inquiry.ask("growth", period=last_months(seen.day, 36)),
            "heads": inquiry.ask("heads", period=last_months(seen.day, 24)),
            "activity_load": inquiry.ask("activity_load", period=last_months(seen.day, 24)),
            "tenure": inquiry.ask("tenure"),
        }
    )
    page.show(sheet.only(view, loaded.staff(staffed)))
    return


if __name__ == "__main__":
    app.run()
