"""A win model fitted in a second, without the selection: for tests of what is shown of one."""

from cadran.models.hazards import count_rates
from cadran.models.hazards_logit import fit_logit
from cadran.models.ladder import Rung
from cadran.models.landmarks import ENDED, WON, take
from cadran.models.win import Card, WinModel, drift
from cadran.tables.problems import Problem


def quick_model(book, name="stage rates"):
    """The model of one step of the ladder; of the overall rate where the book is too small for it."""
    taken = take(book)
    n_won, n_ended = (int((taken.outcome == outcome).sum()) for outcome in (WON, ENDED))
    rungs = (Rung("constant", 0, True), Rung(name, 30, True, "constant", -0.1, 0.01))
    card = Card(n_won, n_ended, len(taken), rungs, (), None, drift(taken))
    if name == "logit" and min(n_won, n_ended) > 30:
        return WinModel(name, fit_logit(taken), taken.until, card)
    return WinModel("stage rates", count_rates(taken, by_stage=True), taken.until, card)


def no_past(book):
    """In place of the backtest, whose many fits are tested for themselves."""
    raise Problem("None of it has closed.", "")
