import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full")

with app.setup:
    from datetime import UTC, datetime, timedelta

    import marimo as mo

    from cadran.book.held import hold
    from cadran.book.masked import is_masked, names_to_hide
    from cadran.figures import resources_forecast as coming
    from cadran.figures import resources_help as helped
    from cadran.figures import resources_hire as hire
    from cadran.figures import resources_load as loaded
    from cadran.figures import resources_page as sheet
    from cadran.figures import resources_pay as pay
    from cadran.figures import resources_scenario as what_if
    from cadran.figures import resources_share as share
    from cadran.figures import resources_slip as slip
    from cadran.figures.facts import Facts
    from cadran.figures.periods import chosen_period, day_before, last_months
    from cadran.figures.resources_lead import first_words
    from cadran.figures.selection import as_where, states
    from cadran.measures.answers import Inquiry, about, keep, tried, values
    from cadran.measures.shared import Shared
    from cadran.models.capacity import basis, capacity, ramp_curve
    from cadran.models.coaching import coaching
    from cadran.models.forecast import foretold
    from cadran.models.forecast_changed import changed
    from cadran.models.forecast_needed import needed
    from cadran.models.pay_beside import costs_ahead, paid_reps, paid_to, plans_beside
    from cadran.models.pay_read import plans_of
    from cadran.models.plan_file import beside
    from cadran.models.scenario import chain
    from cadran.models.scenario_levers import Levers, scenarios_file
    from cadran.models.territories_proposed import proposed
    from cadran.publish.reading import published_book
    from cadran.tables.problems import Problem
    from cadran.text import pick_language, words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def load():
    book = hold(published_book(on=datetime.now(UTC).date()))
    return (book,)


@app.cell
def open_page(book, query):
    _words = words_for(pick_language(query.get("lang"), None))
    _opened = Shared(book, "", _words.language)
    facts = _opened("facts", lambda: Facts(**about(book, sheet.DIMENSIONS)))
    _reached = _opened("reached", lambda: values(book, (*sheet.REACHED, *sheet.DIMENSIONS)))
    _stands = sheet.stands_of(names_to_hide(book, sheet.NAMES), _reached, _words)
    paid = tried(paid_reps, book)
    reach = sheet.Reach(
        _reached["segment"],
        _reached["region"],
        tuple(plans_of(book)[0]),
        _stands,
        not is_masked(book.reader),
        book.reader and book.reader.rights,
        {} if isinstance(paid, Problem) else paid,
    )
    page = mo.ui.anywidget(sheet.open_page(facts, reach, _words, query))
    page
    return facts, page, paid, reach


@app.cell
def read_view(book, facts, page):
    view = page.asked
    seen = hold(book.as_of(view.day("as_of"), corrected=sheet.is_corrected(view)), sheet.COLUMNS)
    period = chosen_period(view, seen.day, facts.first)
    answers = sheet.Answers(facts, view, page.words, period, {}, {}, {})
    asked, whom, wait = view.without(*sheet.local(page)), sheet.focus(view), mo.app_meta().mode != "run"
    shared = Shared(seen, view.key, page.words.language, beside(seen))
    return answers, asked, period, seen, shared, view, wait, whom


@app.cell
def read_deals(answers, asked, facts, page, period, seen, shared, view):
    mo.stop(view.moving)  # until the slider rests
    everything = Inquiry(seen, period, {}, view["organisation"])
    inquiry = everything.selecting(as_where(view.selection), day_before(period[0]))

    def _told():
        deals = everything.deals(sheet.COLUMNS)
        return states(deals, inquiry.selected, facts.dimensions), keep(deals, inquiry.selected).height

    _of, n_deals = shared("deals", _told)
    chosen = answers.with_states(_of)
    page.show(sheet.frame_of(page, chosen, n_deals), is_other=page.is_new("footer", asked))
    return chosen, inquiry


@app.cell
def ask_models(chosen, seen, view, wait):
    mo.stop(chosen is None)
    forecast = tried(foretold, seen, wait=wait)
    hiring = tried(capacity, seen, wait=wait)
    coached = tried(coaching, seen, wait=wait)
    return coached, forecast, hiring


@app.cell
def show_forecast(asked, chosen, forecast, page, shared, view, whom):
    mo.stop(not sheet.awaited(page, view, forecast, sheet.COMING, "fan"))
    mo.stop(not page.is_new("fan", (asked, view.only("every"), view.tables)))
    every = view["every"]

    def _told():
        ahead = chosen.with_frames(
            {
                "forecast": tried(forecast.table, whom.level, every),
                "signed": tried(forecast.signed, whom.level),
                "made": tried(forecast.made, every),
                "needed": tried(needed, forecast, whom.level),
            }
        )
        silent = {**forecast.seen.silent, **getattr(tried(forecast.rivals), "silent", {})}
        unsure = coming.unsure(ahead, forecast.seen.source, silent)
        return {**coming.coming(ahead, whom, every), **unsure, **coming.needed(ahead, whom)}

    page.show(sheet.only(view, {**shared("forecast", _told), "every": sheet.levers(page, "every")}))
    return


@app.cell
def show_past(asked, chosen, forecast, page, shared, view):
    mo.stop(not sheet.awaited(page, view, forecast, sheet.PAST, "scores"))
    mo.stop(not page.is_new("scores", (asked, view.only("ahead"), view.tables)))
    judged = chosen.with_frames(
        {
            "calls": tried(forecast.came, int(view["ahead"])),
            "scores": tried(forecast.scores),
        }
    )
    _told = shared("past", lambda: coming.past(judged, int(view["ahead"])))
    page.show(sheet.only(view, {**_told, "ahead_of": sheet.levers(page, "ahead")}))
    return


@app.cell
def show_change(asked, chosen, coached, forecast, page, seen, shared, view, wait):
    mo.stop(not sheet.awaited(page, view, forecast if coached else None, sheet.CHANGE, "changed"))
    earlier = day_before(seen.day) - timedelta(days=int(view["since"]) - 1)
    before = tried(foretold, hold(seen.as_of(earlier)), wait=wait, later=seen)
    mo.stop(not sheet.awaited(page, view, before, sheet.CHANGE, "changed"))
    mo.stop(not page.is_new("changed", (asked, view.only("since"))))

    def _told():
        why = tried(changed, forecast, before, *forecast.periods("quarter")[0])
        return coming.changed(chosen.with_frames({"changed": why}), earlier)

    page.show(sheet.only(view, {**shared("change", _told), "since": sheet.levers(page, "since")}))
    return


@app.cell
def show_hiring(asked, chosen, hiring, page, shared, view, whom):
    mo.stop(not sheet.awaited(page, view, hiring, sheet.HIRE, "shortage"))
    mo.stop(not page.is_new("shortage", (asked, view.only("scene"), view.tables)))

    def _told():
        months = hiring.plan.frame()
        return {
            **hire.shortage(chosen, months),
            **hire.ahead(chosen, months, whom),
            **hire.hires(chosen, hiring.hire_by),
            **hire.costs(chosen, hiring.timing, whom),
            **hire.ramp(chosen, ramp_curve(hiring.plan.force)),
            **hire.basis(chosen, basis(hiring.plan.force).rows(named=True)),
        }

    page.show(sheet.only(view, shared("hiring", _told)))
    return


@app.cell
def show_help(asked, chosen, coached, page, shared, view):
    mo.stop(not sheet.awaited(page, view, coached, sheet.HELP, "help_funnel"))
    mo.stop(not page.is_new("help_funnel", (asked, view.only("scene"), view.tables)))

    def _told():
        return {
            **helped.funnel(chosen, coached.funnel, coached.limits),
            **helped.help_pays(chosen, coached.help),
            **helped.practices(chosen, coached.practices, coached.well, coached.notes),
        }

    page.show(sheet.only(view, shared("help", _told)))
    return


@app.cell
def show_share(asked, chosen, page, seen, shared, view, wait):
    _found = tried(proposed, seen, wait=wait)
    mo.stop(not sheet.awaited(page, view, _found, sheet.SHARE, "share_told"))
    mo.stop(not page.is_new("share_told", (asked, view.only("scene"), view.tables)))

    def _told():
        return {
            **share.summary(chosen, _found.summary, _found.found.conflicts),
            **share.teams(chosen, _found.teams, _found.summary),
            **share.sellers(chosen, _found.balance, _found.summary),
            **share.moves(chosen, _found.moves, _found.summary),
        }

    page.show(sheet.only(view, shared("share", _told)))
    return


@app.cell
def show_pay(asked, chosen, page, seen, shared, view):
    _plans = tried(plans_beside, seen)
    mo.stop(not sheet.awaited(page, view, _plans, sheet.PAY, "pay_curve"))
    mo.stop(not page.is_new("pay_curve", (asked, view.only("scene"), view.tables)))

    def _told():
        return {
            **pay.curve(chosen, _plans.curves),
            **pay.compared(chosen, _plans.compared, _plans.names),
            **pay.flags(chosen, _plans.flags(page.words)),
        }

    page.show(sheet.only(view, shared("pay", _told)))
    return


@app.cell
def show_slip(asked, chosen, page, paid, seen, view):
    mo.stop(not sheet.wants(view, "pay_slip"))
    mo.stop(not page.is_new("pay_slip", (asked, view.controls.get("paid"), view.tables)))
    _whose = view.controls.get("paid")
    _found = paid if isinstance(paid, Problem) else tried(paid_to, seen, _whose) if _whose else None
    if isinstance(_found, Problem):
        _told = slip.closed(chosen, _found)
    elif _found is None:
        _told = slip.nobody()
    else:
        _frames = _found.payouts, _found.lines, _found.credits
        _told = slip.slip(chosen, paid[_whose], *_frames, _found.of_deals, _found.counted_from)
    if not isinstance(paid, Problem):
        _told["paid_of"] = sheet.levers(page, "paid")
    page.show(sheet.only(view, _told))
    return


@app.cell
def ask_load(chosen, inquiry, seen, view):
    place = sheet.place_of(chosen)
    loads = chosen.with_frames(
        {
            "load": inquiry.ask("load", view["by"], period=last_months(seen.day, 1)),
            "load_whole": inquiry.ask("load", period=last_months(seen.day, 24)),
            "balance": inquiry.ask("balance", place),
            "balance_whole": inquiry.ask("balance"),
            "attainment": inquiry.ask("attainment", place, period=last_months(seen.day, 3)),
            "attainment_whole": inquiry.ask("attainment", period=last_months(seen.day, 3)),
        }
    )
    return (loads,)


@app.cell
def show_load(asked, loads, page, shared, view):
    mo.stop(not sheet.wants(view, "balance") or not page.is_new("balance", (asked, view.only("scene"), view.tables)))

    def _told():
        return {**loaded.load(loads), **loaded.balance(loads), **loaded.over_time(loads), **loaded.attainment(loads)}

    page.show(sheet.only(view, shared("load", _told)))
    return


@app.cell
def ask_staff(asked, chosen, inquiry, page, seen, shared, view):
    mo.stop(not sheet.wants(view, "tenure") or not page.is_new("tenure", asked))
    staffed = chosen.with_frames(
        {
            "growth": inquiry.ask("growth", period=last_months(seen.day, 36)),
            "heads": inquiry.ask("heads", period=last_months(seen.day, 24)),
            "activity_load": inquiry.ask("activity_load", period=last_months(seen.day, 24)),
            "tenure": inquiry.ask("tenure"),
        }
    )
    page.show(sheet.only(view, shared("staff", lambda: loaded.staff(staffed))))
    return


@app.cell
def show_first(asked, forecast, hiring, loads, page, shared, view, whom):
    mo.stop(not sheet.wants(view, "sentences"))
    mo.stop(not page.is_new("headlines", (asked, forecast is None, hiring is None)))
    is_told = forecast is not None and not isinstance(forecast, Problem)
    quarter = shared("quarter", lambda: tried(forecast.table, whom.level, "quarter")) if is_told else None
    hires = None if hiring is None or isinstance(hiring, Problem) else hiring.hire_by
    page.show(sheet.only(view, first_words(loads.with_frames({"quarter": quarter, "hires": hires}), whom)))
    return


@app.cell
def link(page, seen, view, wait):
    linked = tried(chain, seen, wait=wait)
    mo.stop(not sheet.awaited(page, view, linked, (*sheet.IF, *sheet.COSTS), "if_told"))
    return (linked,)


@app.cell
def read_levers(linked, reach, view):
    levers = Levers(**sheet.levers_of(view, reach, linked.months))
    return (levers,)


@app.cell
def pull(answers, asked, levers, linked, page, reach, shared, view, whom):
    mo.stop(not page.is_new("if_told", (asked, view.only(*sheet.local(page)), view.tables)))
    now, here, found = linked.run(), linked.run(levers), sheet.scenarios(view, page.controls, page.words)
    others = {each.name: Levers(**sheet.levers_of(each.view, reach, linked.months)) for each in found}
    _beside = [(each, linked.run(others[each.name])) for each in found]
    _beside = [(each, sheet.Told(run.months, run.totals(now))) for each, run in _beside]
    pulled = sheet.told(view, page.controls, page.words)

    def _told():
        as_is, moved = sheet.Told(now.months, now.totals(now)), sheet.Told(here.months, here.totals(now), here.clamped)
        return what_if.what_if(answers, whom, as_is, moved, pulled, _beside)

    around = {"levers": sheet.panel(page, linked.months), "kept": sheet.kept(page, view, found, scenarios_file(others))}
    page.show(sheet.only(view, shared("what if", _told) | around))
    return


@app.cell
def show_costs(asked, chosen, linked, page, shared, view):
    mo.stop(view.moving or not sheet.wants(view, *sheet.COSTS) or not page.is_new("pay_cost", asked))
    _costs = shared("costs ahead", lambda: tried(costs_ahead, linked))
    mo.stop(not sheet.awaited(page, view, _costs, sheet.COSTS, "pay_cost"))
    _told = shared("costs", lambda: pay.costs(chosen, _costs.cost, _costs.attainment, _costs.covered_share))
    page.show(sheet.only(view, _told))
    return


@app.cell
def weigh(answers, asked, levers, linked, page, shared, view):
    mo.stop(view.moving or not sheet.wants(view, "tornado"))
    mo.stop(not page.is_new("tornado", (asked, view.only("use", "scene"), levers)))
    _told = shared("tornado", lambda: what_if.tornado(answers, linked.tornado(levers), "bookings"))
    page.show(sheet.only(view, _told))
    return


if __name__ == "__main__":
    app.run()
