"""The file that a survey begins from: whole, commented in the reader's language, and asking in both."""

import json
from collections.abc import Callable, Sequence

from cadran.sources.question import dimensions, library
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMMENTS_MINIMUM, FLOOR, MINIMUM, TREE

#: Where no question is named: eNPS, two of each dimension, one of them reversed, and a comment, spread over pulses that
#: take less than a minute.
_ALWAYS, _LAST, _PER_WAVE, _ROLLING = "enps", "first_change", 6, 3
_TITLE = {"en": "How are we doing?", "fr": "Comment allons-nous ?"}
_PURPOSE = {
    "en": "To know how the sales team is doing, and to improve how we work. Never to judge a person.",
    "fr": "Savoir comment va l'équipe commerciale et améliorer notre façon de travailler. Jamais pour juger une personne.",
}


def chosen(asked: Sequence[str]) -> list[str]:
    """The questions of the library that are meant: by id, or all of a dimension; a few of each where none is named.

    Raises:
        Problem: If a name is neither.
    """
    of = {name: [row["question_id"] for row in library().values() if row["dimension"] == name] for name in dimensions()}
    if not asked:
        turned = {name: [library()[item]["is_reversed"] for item in items] for name, items in of.items()}
        both = [items[turned[name].index(way)] for name, items in of.items() for way in (False, True)]
        return [_ALWAYS, *both, _LAST]
    for name in asked:
        if name not in library() and name not in of:
            raise Problem(
                "The library has no question and no dimension {name}.",
                "Name dimensions ({dimensions}) or questions ({questions}).", name=name,
                dimensions=", ".join(of), questions=", ".join(library()),
            )  # fmt: skip
    return list(dict.fromkeys(item for name in asked for item in of.get(name, [name])))


def draft(
    name: str,
    mode: str,
    cadence: str,
    items: Sequence[str],
    controller: str,
    contact: str,
    language: str,
    words: Callable[[str], str],
) -> str:
    """The text of a survey's file.

    Args:
        name: Of the survey.
        mode: As `Terms`.
        cadence: As `Terms`.
        items: Ids of the library, in the order they are asked.
        controller: Who answers for the data; empty: to be filled in before it opens.
        contact: Whom to ask for one's rights; likewise.
        language: Of who will edit the file.
        words: Their words.
    """
    limit = f"{FLOOR} ≤ minimum ≤ comments_minimum"
    parts = [
        _told(words("A pulse survey. docs/surveys.md tells each key; `cadran survey check` says what is wrong with it."),
              survey=name, title=_TITLE),
        _told(words("anonymous: nothing links a person's answers across waves. confidential: a pseudonym does. It is told "
                    "to respondents, and holds for good."), mode=mode),
        _told(words("weekly, monthly, quarterly or once."), cadence=cadence),
        _told(words("The most questions of one wave, 10 or fewer; where there are more, they take turns."),
              per_wave=_PER_WAVE),
        _told(words("What respondents are told: who answers for the data, what for, for how many months it is kept, whom to "
                    "ask for one's rights."), controller=controller, purpose=_PURPOSE, retention_months=12, contact=contact),
        _told(words("The fewest respondents of a group that is shown, and of one whose comments are.") + f" {limit}",
              minimum=MINIMUM, comments_minimum=COMMENTS_MINIMUM),
        _told(words("By what results are cut. Each cut more makes it easier to single somebody out."), cuts=list(TREE),
              crossed=[]),
    ]  # fmt: skip
    if mode == "confidential":
        latest = words(
            "Each person's latest answers are told too, over so many waves; take it out to tell waves alone."
        )
        parts.append(_told(latest, rolling=_ROLLING))
    asked = [f"[[questions]]  # {library()[item][f'text_{language}']}\nitem = {json.dumps(item)}" for item in items]
    own = "\n".join(
        [
            words("A question of your own: an agreement, a choice (with options.en and options.fr) or a comment."),
            "[[questions]]",
            'id = "meetings_useful"',
            'text.en = "The meetings I attend are worth my time."',
            'text.fr = "Les réunions auxquelles je participe valent le temps que j\'y passe."',
            'kind = "agreement"',
            'dimension = "process"',
            'every = "cycle"  # "wave"',
        ]
    )
    return "\n\n".join([*parts, *asked, "\n".join(f"# {line}" for line in own.split("\n"))]) + "\n"


def _told(comment: str, **keys: object) -> str:
    """A comment, and keys with their values."""
    lines = [
        f"{key}.{part} = {_written(each)}" if part else f"{key} = {_written(each)}"
        for key, value in keys.items()
        for part, each in (value.items() if isinstance(value, dict) else [("", value)])
    ]
    return "\n".join([f"# {comment}", *lines])


def _written(value: object) -> str:
    """A value as TOML writes it: of texts, numbers and lists, JSON does likewise."""
    return json.dumps(value, ensure_ascii=False)
