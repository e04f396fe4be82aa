"""What can be asked of every page that shows a book: when, which period, which groups, which past."""

from cadran.figures.columns import label
from cadran.figures.controls import Choice, Control, Day, View
from cadran.figures.facts import Facts
from cadran.figures.periods import period_controls
from cadran.text import Words

#: Dimensions a reader may group by and select on, where the book has them. No person: that would rate people.
DIMENSIONS = ("region", "team", "sector", "segment", "country", "product", "deal_type", "lead_source")


def book_controls(facts: Facts, words: Words, *further: Control) -> list[Control]:
    """The day the book is seen from, the period, the groups, what is `further` asked, the organisation, the past."""
    groups = {name: label(name, words) for name in facts.dimensions} or {"status": label("status", words)}
    organisations = {"as_was": words("Organisation as it was"), "today": words("Today's organisation")}
    controls = [
        Day("as_of", words("As of"), facts.first, facts.last, facts.last.isoformat(), slides=True, shortcut="a"),
        *period_controls(facts.first, facts.last, words),
        Choice("by", words("Group by"), groups, next(iter(groups)), shortcut="g"),
        *further,
        Choice("organisation", words("Organisation"), organisations, "as_was", is_plain=True),
    ]
    if facts.n_corrected:
        pasts = {"known": words("As known then"), "corrected": words("As corrected since")}
        controls.append(Choice("past", words("Past"), pasts, "known", shortcut="k", is_plain=True))
    return controls


def is_corrected(view: View) -> bool:
    """Whether the reader asked for the past as corrected since; as known then where the book has no correction."""
    return view.controls.get("past") == "corrected"
