"""What a respondent is told before the first question: who asks, what for, what becomes of what they answer."""

from collections.abc import Mapping
from datetime import datetime
from html import escape

from cadran.book.ballots_groups import STORED
from cadran.tables.pulse import Terms
from cadran.text import Words


def told_first(words: Words, terms: Terms, n: int, closes: datetime | None) -> str:
    """What matters at once in four lines, the rest folded; as HTML.

    Args:
        words: The reader's words.
        terms: What was declared of the survey.
        n: How many questions there are.
        closes: When it closes, in the time zone it is told in.
    """
    minimum = words.number(terms.minimum)
    if terms.mode == "anonymous":
        mode, short = words("Anonymous"), words("It can be told that you answered, never what.")
    else:
        mode, short = words("Confidential"), words("Stored under a code in place of your name.")
    shown = words("Results are told where at least {minimum} people answered, never for one person.", minimum=minimum)
    length = words.n("One question", "{n} questions, about a minute", n)
    until = words("open until {moment}", moment=words.moment(closes)) if closes else ""
    rows = {words("Asked by"): terms.controller, words("What for"): in_language(terms.purpose, words)}
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows.items() if text)
    listed += f'<dt class="mode">{escape(mode)}</dt><dd>{escape(f"{short} {shown}")}</dd>'
    unfolded = "".join(f"<p>{escape(each)}</p>" for each in _protected(words, terms))
    return (
        f'<section class="first"><p>{escape(", ".join(filter(None, (length, until))))}</p><dl>{listed}</dl>'
        f"<details><summary>{escape(words('Your rights, and how long it is kept'))}</summary>{unfolded}</details></section>"
    )


def in_language(texts: Mapping[str, str], words: Words) -> str:
    """A text of the survey in the reader's language, or in whichever it has."""
    return texts.get(words.language) or next(filter(None, texts.values()), "")


def _protected(words: Words, terms: Terms) -> list[str]:
    """How the survey keeps its promise, and what the law gives."""
    cuts = [_cut(words, each) for each in terms.cuts]
    crossed = [f"{_cut(words, one)} × {_cut(words, other)}" for one, other in terms.crossed]
    groups = words.list([*cuts, *crossed])
    if terms.mode == "anonymous":
        said = [
            words("As you send them, your answers are cut off from your link. They are stored without your name or "
                  "anything that stands for you, and without the time. Nothing links them to what you answer in "
                  "another survey."),
            words("Since nothing says which answers are yours, they cannot be found, corrected or deleted once sent."),
        ]  # fmt: skip
        if cuts:
            said.insert(1, words(
                "They are also counted by {groups}, each count apart, in groups of at least {n} people invited.",
                groups=groups, n=words.number(max(STORED, terms.minimum)),
            ))  # fmt: skip
    else:
        said = [
            words("The key that leads from the code to your name is kept apart from the answers. The code stays the same "
                  "from one survey to the next, so that changes can be seen: your answers are linked to each other."),
        ]  # fmt: skip
        if terms.rolling:
            said.append(words("Your latest answer to a question also counts in a score over the last {n} surveys, until you "
                              "answer it again.", n=words.number(terms.rolling)))  # fmt: skip
        if cuts:
            said.append(words("Beside them it is stored which of these you belong to: {groups}.", groups=groups))
    return [
        *said,
        words("Comments are shown where at least {minimum} people answered, shuffled and undated, "
              "names and numbers masked.", minimum=words.number(terms.comments_minimum)),
        words.n("Answers are kept for one month, then deleted.", "Answers are kept for {n} months, then deleted.",
                terms.retention_months),
        words("You are free not to answer, as a whole or to any question."),
        words("To see, correct or delete what is held about you, or to object: {contact}.", contact=terms.contact)
        if terms.contact else "",
        words("You may also complain to the data protection authority (in France, the CNIL)."),
        words("This page sets no cookie and asks nothing of any other site."),
    ]  # fmt: skip


def _cut(words: Words, name: str) -> str:
    return {
        "region": words("region"), "team": words("team"), "department": words("department"), "role": words("role"),
        "tenure": words("time in the company"), "site": words("place of work"), "contract": words("kind of contract"),
        "country": words("country"),
    }[name]  # fmt: skip
