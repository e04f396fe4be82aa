"""How a question is worded: what keeps a survey from opening, and what may be said better. Heuristics, in both languages.

A refusal is of the law, or of what a respondent could not answer; the rest are remarks, for a person to judge.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cadran.sources.question import LANGUAGES, SCALES
from cadran.sources.sensitive import EVERYWHERE, HARMLESS, NEAR_HEALTH, NEAR_UNION, REFUSED
from cadran.tables.problems import Problem
from cadran.tables.pulse import SCORED

#: A question is long beyond so many words, and too long for a phone beyond so many letters.
MOST_WORDS, MOST_LETTERS = 25, 300


class Finding(Problem):
    """What is to be said of the wording of one question."""

    def __init__(self, place: str, question: str, rule: "Rule", **values: object):
        self.place, self.question, self.rule, self.is_refused = place, question, rule.name, rule.is_refused
        super().__init__(rule.what, rule.repair, **values)

    def told(self, words: Callable[[str], str]) -> str:
        """Where it stands, the sentence, and its repair."""
        return f"{self.place}: {super().told(words)}"


@dataclass(frozen=True)
class Rule:
    """A rule of wording: its name, what is said of a question that breaks it, and its repair."""

    name: str
    is_refused: bool
    what: str
    repair: str


_LAW = "The law keeps such data apart (GDPR, article 9), and a pulse survey has no ground to ask them. Remove the question."
#: Rules that words tell, for the whole of what is asked: text and labels.
TOPICS = {
    "health": Rule("health", True, "“{found}” asks about health.", _LAW + " Ask about the work instead."),
    "union": Rule("union", True, "“{found}” asks about unions.", _LAW),
    "religion": Rule("religion", True, "“{found}” asks about religion or belief.", _LAW),
    "politics": Rule("politics", True, "“{found}” asks about politics.", _LAW),
    "origin": Rule("origin", True, "“{found}” asks about origin.", _LAW),
    "sex": Rule("sex", True, "“{found}” asks about sex life or orientation.", _LAW),
    "private": Rule(
        "private", True, "“{found}” asks about private life.", "Remove it: work is what a pulse survey may ask about."
    ),
    "identity": Rule(
        "identity", True, "“{found}” asks who is answering.",
        "Remove it: what respondents are cut by is known when they are invited, and kept apart from what they answer.",
    ),
    "near_health": Rule(
        "near_health", False, "“{found}” comes near someone's health.",
        "Ask about the cause, which can be acted on: hours, targets, tools.",
    ),
    "near_union": Rule(
        "near_union", False, "“{found}” comes near union matters.", "Ask only if the answer tells nobody's membership."
    ),
}  # fmt: skip
#: The other rules.
RULES = {
    "double": Rule(
        "double", False, "“{found}” may ask two things at once: who agrees with one alone cannot answer.",
        "Ask one of them, or each in a question of its own.",
    ),
    "leading": Rule(
        "leading", False, "“{found}” leads to an answer.", "Say it so that a reader cannot tell what you hope for."
    ),
    "absolute": Rule(
        "absolute", False, "“{found}” is hardly ever quite true, so that few can agree.", "Leave it out, or say how often."
    ),
    "long": Rule("long", False, "It has {n} words.", "Say it in {most} words or fewer: a phone is read at a glance."),
    "too_long": Rule("too_long", True, "It has {n} letters.", "Say it in {most} letters or fewer."),
    "no_statement": Rule(
        "no_statement", False, "A question cannot be agreed with.",
        "Make it a statement, as in “I find …”, or give its scale labels that answer it.",
    ),
    "unlabelled": Rule(
        "unlabelled", True, "A scale of {n} points has {told} labels.",
        "Write scale.labels.en and scale.labels.fr: of its two ends, or of each point.",
    ),
    "same": Rule("same", False, "English and French are the same.", "Write it in each language."),
}  # fmt: skip
_LOADED = {
    "en": r"great | excellent | amazing | outstanding | wonderful | fantastic | world[\ -]class | terrible | awful | horrible"
          r" | ridiculous | useless | stupid | unacceptable",
    "fr": r"formidables? | excellent(?:e|es|s)? | geni(?:al|ale|aux|ales) | extraordinaires? | exceptionnel(?:le)?s?"
          r" | horribles? | catastrophiques? | ridicules? | lamentables? | inadmissibles? | inacceptables?",
}  # fmt: skip
#: What tells that a rule is broken, by language; what is left out first stands under "but".
_TELLING: dict[str, dict[str, str]] = {
    "double": {
        "en": r"""
            and\ ?/\ ?or | as\ well\ as | and\ (?:i|we|they|it|he|she|my|our|your)\ \w+ | \w+\ ?\?.+\?
            | (?:is|are|was|feels?|seems?)\ (?:(?:very|both|always)\ )?\w+(?:,\ \w+)*,?\ and\ \w+
            | ^(?:the|our|my)\ \w+\ and\ (?:the\ |our\ |my\ )?\w+\ (?:is|are|have|help|give|work|make|let)""",
        "fr": r"""
            et\ ?/\ ?ou | ainsi\ que | et\ (?:je|j'\w+|nous|on|ils?|elles?)\ \w+ | \w+\ ?\?.+\?
            | (?:est|sont|etait|semblent?|parait)\ (?:(?:tres|a\ la\ fois|toujours)\ )?\w+(?:,\ \w+)*\ et\ \w+
            | ^(?:le\ |la\ |les\ |l'|nos\ |notre\ |mes\ |mon\ |ma\ )\w+\ et\ (?:le\ |la\ |les\ |l'|nos\ |mes\ |mon\ |ma\ )?\w+
              \ (?:est|sont|m'\w+|me|nous|aident|permettent)""",
    },
    "leading": {
        "en": rf"""
            (?:don't|wouldn't|shouldn't|isn't|aren't|doesn't|can't|won't)\ (?:you|we|it|they|this)\b | (?:do|would)\ you\ not
            | do\ you\ (?:also\ )?agree | as\ (?:you\ know|we\ all\ know|everyone\ knows) | of\ course | surely | obviously
            | undoubtedly | how\ much\ (?:do|did)\ you\ (?:love|like|enjoy|hate) | {_LOADED["en"]}""",
        "fr": rf"""
            n'est-ce\ pas | ne\ (?:pensez|trouvez|croyez|devrait|serait)[\ -](?:vous|on|il|ce)\ pas | n'etes-vous\ pas
            | (?:etes-vous|vous\ etes)\ (?:bien\ )?d'accord | comme\ (?:vous\ le\ savez|chacun\ sait|on\ le\ sait)
            | bien\ (?:sur(?!\ \w)|entendu) | evidemment | a\ quel\ point\ (?:aimez|appreciez|detestez)-vous
            | {_LOADED["fr"]}""",
    },
    "absolute": {
        "en": r"always | never | everyone | everybody | nobody | no\ one | totally | absolutely | completely | constantly",
        "fr": r"toujours | jamais | tout\ le\ monde | plus\ personne | personne\ n(?:e|'\w+) | totalement | absolument"
              r" | completement | constamment",
    },
    "near_health": NEAR_HEALTH,
    "near_union": NEAR_UNION,
}  # fmt: skip
_SPARED = {
    "en": r"""
        between\ .+?\ and | terms\ and\ conditions | pros\ and\ cons | (?:more|again|over)\ and\ (?:more|again|over)
        | sales\ and\ marketing | research\ and\ development | (?:almost|nearly|hardly|rarely\ or)\ (?:always|never|ever)
        | great\ (?:deal|many|extent|britain) | (?:my|our)\ \w+\ and\ (?:i|me)""",
    "fr": r"entre\ .+?\ et | de\ plus\ en\ plus | recherche\ et\ developpement | (?:presque|rarement\ ou)\ (?:toujours|jamais)",
}


def review(row: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """What is to be said of one question.

    Args:
        row: As `Question`; a text that is missing is empty.
        place: How its file names it.
    """
    for language in LANGUAGES:
        yield from _said(row, language, f"{place}.text.{language}")
    if row["text_en"] and row["text_en"].casefold() == row["text_fr"].casefold():
        yield Finding(f"{place}.text", row["question_id"], RULES["same"])
    if row["kind"] in SCORED and row["low"] < row["high"]:
        n, told = row["high"] - row["low"] + 1, row["labels_en"] or []
        if len(told) not in (2, n) or not all(told) or not all(row["labels_fr"] or []):
            yield Finding(
                f"{place}.scale.labels", row["question_id"], RULES["unlabelled"], n=n, told=sum(map(bool, told))
            )


def _said(row: Mapping[str, Any], language: str, place: str) -> Iterator[Finding]:
    text, labels = row[f"text_{language}"], row[f"labels_{language}"] or []
    for rule, found in _topics(". ".join([text, *labels]), language):
        yield Finding(place, row["question_id"], rule, found=found)
    for name in ("double", "leading", "absolute"):
        if found := _found(text, _TELLING[name][language], _SPARED[language]):
            yield Finding(place, row["question_id"], RULES[name], found=found)
    if len(text) > MOST_LETTERS:
        yield Finding(place, row["question_id"], RULES["too_long"], n=len(text), most=MOST_LETTERS)
    elif (n := len(text.split())) > MOST_WORDS:
        yield Finding(place, row["question_id"], RULES["long"], n=n, most=MOST_WORDS)
    if (
        text.rstrip().endswith("?")
        and row["kind"] == "agreement"
        and labels == SCALES["agreement"][f"labels_{language}"]
    ):
        yield Finding(place, row["question_id"], RULES["no_statement"])


def _topics(asked: str, language: str) -> Iterator[tuple[Rule, str]]:
    for name, rule in TOPICS.items():
        telling = REFUSED[name] if rule.is_refused else _TELLING[name]
        everywhere = f" | {EVERYWHERE[name]}" if name in EVERYWHERE else ""
        if found := _found(asked, telling[language] + everywhere, HARMLESS[language]):
            yield rule, found


def _found(text: str, telling: str, spared: str) -> str:
    """What of a text tells, as it is written there, once what is spared was taken out; nothing if nothing does."""
    text = unicodedata.normalize("NFC", text)
    plain = _whole(spared).sub(lambda match: "#" * len(match[0]), _plain(text))
    match = _whole(telling).search(plain)
    return text[match.start() : match.end()].strip() if match else ""


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    """Whole words of a pattern."""
    return re.compile(rf"(?<![\w#])(?:{pattern})(?!\w)", re.VERBOSE)


def _plain(text: str) -> str:
    """The same letters, one by one, small and without accents."""
    return "".join(_letter(each) for each in text)


@cache
def _letter(letter: str) -> str:
    plain = unicodedata.normalize("NFD", letter)[0].lower()
    return "'" if plain in "’ʼ‘" else " " if plain.isspace() else plain if len(plain) == 1 else letter
