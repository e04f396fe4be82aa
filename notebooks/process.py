import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full")

with app.setup:
    import marimo as mo
    import polars as pl

    from cadran.book.held import hold
    from cadran.figures import process_page as sheet
    from cadran.figures import process_where as where
    from cadran.figures import process_won as won
    from cadran.figures.facts import Facts
    from cadran.figures.periods import chosen_period, day_before
    from cadran.figures.renamed import renamed
    from cadran.figures.selection import as_where, states
    from cadran.measures.answers import Inquiry, about, keep
    from cadran.measures.renamed import renamed_stages
    from cadran.measures.shared import Shared
    from cadran.measures.signals import signals
    from cadran.measures.timeline import timeline
    from cadran.models.actions import within
    from cadran.models.card import card
    from cadran.models.outlook import moves_since, outlook, past
    from cadran.publish.reading import published_book
    from cadran.tables.problems import Problem
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
    all_deals = everything.deals(sheet.COLUMNS)
    inquiry = everything.selecting(as_where(view.selection), day_before(period[0]))
    of = states(all_deals, inquiry.selected, facts.dimensions)
    shared = Shared(seen, view.key, page.words.language)
    return all_deals, inquiry, of, period, seen, shared, view


@app.cell
def show_frame(all_deals, facts, inquiry, of, page, period, view):
    deals = keep(all_deals, inquiry.selected)
    answers = sheet.Answers(facts, view, page.words, period, of, {}, {})
    rests = not view.moving or view.moving in sheet.LOCAL
    is_other = rests and page.is_new("footer", view.without(*sheet.LOCAL))
    page.show(sheet.frame_of(page, answers, deals.height), is_other=is_other)
    return answers, deals, rests


@app.cell
def ask_model(deals, page, rests, seen, view):
    mo.stop(not rests)
    try:
        found = outlook(seen, wait=mo.app_meta().mode != "run")
    except Problem as problem:
        page.show(sheet.refused(page, problem))
        mo.stop(True)
    mo.stop(found is None, found or page.show(sheet.coming(page), is_coming=True))
    kept = found.kept(deals["opportunity_id"])
    about_model = view.without(*sheet.LOCAL)
    return about_model, found, kept


@app.cell
def show_room(about_model, answers, found, kept, page, view):
    mo.stop(not page.is_new("room", (about_model, view.only(*sheet.ROOM))))
    pulled = found.pulled(kept, view["lever"], view["horizon"])
    page.show(sheet.room(page, answers, pulled, int(kept.sum()), found.until(view["horizon"])))
    return


@app.cell
def show_deal(about_model, answers, deals, found, page, seen, view):
    mo.stop(not page.is_new("detail", (about_model, view.open, view.only(*sheet.DEAL))))
    pulls = sheet.pulls_of(view)
    if view.open is None:
        page.show(sheet.no_deal())
    else:
        row, action = sheet.deal_of(deals, found.listed, view.open)
        promised = found.promise(view.open, {}), found.promise(view.open, pulls) if pulls else None
        lived = found.course(seen, view.open), timeline(seen, view.open)
        ends = found.is_beyond(view.open, pulls), found.until(view["horizon"])
        page.show(sheet.deal(page, answers, row, *promised, *lived, *ends))
        if row is not None:
            shown = signals(seen).filter(pl.col("opportunity_id") == view.open)
            page.show(sheet.reasons(answers, found.reasons(seen, view.open), shown, action))
    return


@app.cell
def list_open(deals, found):
    opened = deals.filter(pl.col("status") == "open").join(found.scores, on="opportunity_id", how="left")
    return (opened,)


@app.cell
def show_list(about_model, answers, deals, found, opened, page, view):
    mo.stop(not page.is_new("actions", (about_model, view.only("hours"), view.open, view.tables)))
    listed = within(
        found.listed.filter(pl.col("opportunity_id").is_in(deals["opportunity_id"].implode())), int(view["hours"])
    )
    page.show(sheet.work(page, answers, listed, opened))
    return (listed,)


@app.cell
def show_first(answers, found, inquiry, kept, listed, page, view):
    lead = answers.with_frames(
        {"rate": inquiry.ask("win_rate"), "dwell": inquiry.ask("stage_dwell"), "actions": listed}
    )
    expected, until = found.expected(kept, view["horizon"]), found.until(view["horizon"])
    page.show(sheet.first_words(lead, expected, card(found.model), until))
    return


@app.cell
def ask_stages(answers, inquiry, page, rests, seen, shared, view):
    mo.stop(not rests or not page.is_new("funnel", view.without(*sheet.LOCAL)))
    walked = answers.with_frames(
        {
            "conversion": inquiry.ask("stage_conversion"),
            "dwell": inquiry.ask("stage_dwell"),
            "flows": inquiry.ask("stage_flows"),
        }
    )
    page.show(shared("stages", lambda: where.stages(walked) | renamed(renamed_stages(seen), page.words)))
    return (walked,)


@app.cell
def ask_reference(answers, inquiry, page, rests, shared, view):
    mo.stop(not rests or not page.is_new("won_table", view.without(*sheet.LOCAL)))
    by = [name for name in ("deal_type",) if name in answers.facts.dimensions]
    asked = {"reference": by, "lead_first_response": [], "lead_conversion": []}
    known = answers.with_frames({name: inquiry.ask(name, *groups) for name, groups in asked.items()})
    page.show(shared("won", lambda: {**won.leads(known), **won.reference(known)}))
    return


@app.cell
def ask_waits(inquiry, page, shared, walked):
    waited = walked.with_frames(
        {
            "waiting": inquiry.ask("waiting_on"),
            "bottlenecks": inquiry.ask("bottlenecks"),
            "rework": inquiry.ask("rework"),
            "variants": inquiry.ask("path_variants"),
            "close_timing": inquiry.ask("close_timing"),
        }
    )
    page.show(shared("waits", lambda: where.waits(waited)))
    return


@app.cell
def show_card(about_model, answers, found, page, shared):
    mo.stop(not page.is_new("card", about_model))
    page.show(shared("card", lambda: sheet.card_blocks(answers, card(found.model))))
    return


@app.cell
def ask_moves(found, seen):
    moved = {}
    for _days in sheet.SINCE if found else ():
        try:
            moved[_days] = moves_since(seen, int(_days), wait=mo.app_meta().mode != "run")
        except Problem as problem:
            moved[_days] = problem
    is_moving = any(each is None for each in moved.values())
    return is_moving, moved


@app.cell
def show_moves(about_model, answers, is_moving, moved, opened, page, view):
    mo.stop(is_moving, is_moving and page.show(sheet.coming(page, ("since", "moved")), is_coming=True))
    mo.stop(not page.is_new("moved", (about_model, view.only("since"), view.open, view.tables)))
    chosen = moved[view["since"]]
    together = {} if isinstance(chosen, Problem) else chosen.together(opened["opportunity_id"])
    parts = {days: each if isinstance(each, Problem) else each.parts for days, each in moved.items()}
    page.show(sheet.moves(page, answers, parts, together, opened))
    return


@app.cell
def show_past(about_model, answers, found, page, seen, shared, view):
    try:
        judged = past(seen, wait=mo.app_meta().mode != "run")
    except Problem as problem:
        page.show(sheet.unjudged(page, problem))
        mo.stop(True)
    _slots = ("reliability", "skill", "backtest")
    mo.stop(judged is None, judged or page.show(sheet.coming(page, _slots), is_coming=True))
    mo.stop(not page.is_new("backtest", (about_model, view.tables)))
    _judged = judged.scores, judged.reliability, judged.skill, found.model.chosen, judged.since, judged.until
    page.show(shared("past", lambda: sheet.past_blocks(answers, *_judged)))
    return


if __name__ == "__main__":
    app.run()
