import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full")

with app.setup:
    import marimo as mo

    from cadran.book.masked import is_masked, names_to_hide
    from cadran.figures import pulse_act as act
    from cadran.figures import pulse_page as sheet
    from cadran.figures import pulse_told as told
    from cadran.figures.pulse_lead import first_words
    from cadran.measures.answers import tried
    from cadran.measures.conversation import guide
    from cadran.measures.poll import Poll
    from cadran.measures.promised import followed, promises_seen
    from cadran.measures.releases import released
    from cadran.models.drivers import drivers
    from cadran.models.pulse_load import pulse_load
    from cadran.models.regularity import regularity
    from cadran.publish.reading import published_book
    from cadran.tables.problems import Problem
    from cadran.text import pick_language, words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def load():
    book = published_book()
    found = tried(released, book)
    releases = {} if isinstance(found, Problem) else sheet.waves_of(found)
    return book, found, releases


@app.cell
def open_page(book, found, query, releases):
    _words, _told = words_for(pick_language(query.get("lang"), None)), list(releases.values())
    _stands = sheet.stands_of(names_to_hide(book, sheet.NAMES), _told, _words)
    page = mo.ui.anywidget(sheet.open_page(_told, _words, query, _stands, not is_masked(book.reader)))
    if not releases:
        sheet.nothing(page, found if isinstance(found, Problem) else None)
    page
    return (page,)


@app.cell
def read_view(book, page, releases):
    mo.stop(not releases)
    view = page.asked
    release = releases[view["wave"]]
    answers = sheet.Answers(release, view, page.words, book.settings.time_zone, releases=tuple(releases.values()))
    poll = Poll(book, release.terms.survey, release.wave, len(releases))
    asked = sheet.asked_of(view)
    return answers, asked, poll, release, view


@app.cell
def ask(answers, poll):
    about, by = answers.about, answers.by
    first = answers.having(
        {
            "enps": poll.ask("enps"),
            "participation": poll.ask("participation"),
            "trend": poll.ask("pulse_trend", question=about, waves=True),
            "moved": poll.ask("pulse_trend"),
            "latest": poll.ask("rolling_score", question=about),
            "answers": poll.ask("favourable_share"),
            "answered": poll.ask("participation", *by),
            "index": poll.ask("dimension_index"),
            "heat": poll.ask("favourable_share", *by),
            "groups": poll.ask("pulse_compared", *by, question=about),
            "detectable": poll.ask("detectable", question=about),
        }
    )
    return (first,)


@app.cell
def show(asked, first, page, view):
    mo.stop(not page.is_new("headlines", (asked, view.only("scene"), view.tables)))
    _told = {
        **first_words(first),
        **told.how(first),
        **told.sure(first),
        **told.where(first),
        **act.said(first),
        **act.beside(first),
    }
    page.show({**sheet.frame_of(page, first), **sheet.only(view, _told)})
    return


@app.cell
def ask_why(book, release):
    found_why = tried(drivers, book, release.name)
    return (found_why,)


@app.cell
def show_why(asked, first, found_why, page, view):
    mo.stop(not page.is_new("drivers", (asked, view.only("scene"))))
    if isinstance(found_why, Problem):
        page.show(sheet.only(view, act.refused(first, found_why)))
    else:
        _why = first.having({"drivers": found_why.rows, "priorities": found_why.priorities})
        _sure = (found_why.r2, found_why.r2_low, found_why.r2_high)
        page.show(sheet.only(view, {**first_words(_why), **act.why(page, _why, found_why.n, _sure)}))
    return


@app.cell
def pull(first, found_why, page, view):
    mo.stop(isinstance(found_why, Problem) or not sheet.wants(view, *("if_told",)))
    page.show(sheet.only(view, act.if_raised(first, found_why.raised(float(view["rise"])))))
    return


@app.cell
def show_load(asked, book, first, page, release, view):
    mo.stop(not sheet.wants(view, "load") or not page.is_new("load", asked))
    _found = tried(pulse_load, book, "team", survey=release.terms.survey)
    _links = _found if isinstance(_found, Problem) else _found.links
    page.show(sheet.only(view, act.load(first.having({"load": _links}))))
    return


@app.cell
def show_promised(asked, book, first, page, view):
    mo.stop(not sheet.wants(view, "promised", "talks", "guide") or not page.is_new("promised", asked))
    _kept = first.having(
        {"followed": followed(book), "regularity": tried(regularity, book, book.day), "guide": tried(guide, book)}
    )
    page.show(sheet.only(view, {**act.promised(_kept, promises_seen(book)), **act.talks(_kept), **act.guide(_kept)}))
    return


if __name__ == "__main__":
    app.run()
