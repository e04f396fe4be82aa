"""Every sentence a reader may meet exists in French."""

import ast
import string
from pathlib import Path

import pytest

from cadran.figures import columns, pulse_page, pulse_words, resources_hire
from cadran.figures.bar import PAGES
from cadran.figures.pulse_beside import BESIDE
from cadran.measures import MEASURES
from cadran.text import words_for

LIB = Path(__file__).parent.parent.parent / "lib" / "cadran"
#: Calls whose arguments are sentences: `words(...)`, `words.n(one, many, …)`, `Problem(what, repair)`, and so on.
SPOKEN = {
    "words": 1, "n": 1, "Problem": 2, "fault": 2, "_no": 2, "NotLetIn": 2, "Unbelieved": 2, "Unreachable": 2,
}  # fmt: skip


def sentences(path: Path) -> set[str]:
    """The sentences of ours that one module may show."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        spoken = node.args[: SPOKEN.get(name, 0)]
        if name == "n" and not (isinstance(node.func, ast.Attribute) and "words" in ast.unparse(node.func.value)):
            continue
        if name in ("tips", "tips_as"):
            spoken = [keyword.value for keyword in node.keywords]
        found |= {each.value for each in spoken if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return {text for text in found if any(letter.isalpha() for letter in text)}


def catalogue() -> dict[str, set[str]]:
    """Every sentence, by where it is said."""
    said = {str(path.relative_to(LIB)): sentences(path) for path in sorted(LIB.glob("**/*.py"))}
    said["columns"] = {*columns.LABELS.values(), *columns.VALUES.values(), *columns.CAUSE_LABELS.values()}
    said["measures"] = {text for each in MEASURES.values() for text in (each.title, each.definition, each.unit)}
    said["pages"] = set(PAGES.values())
    hiring = (resources_hire.CASES, resources_hire.BASIS, resources_hire.SOURCES)
    said["hiring"] = {text for each in hiring for text in each.values()}
    subjects = (pulse_words.DIMENSIONS, pulse_words.QUADRANTS, pulse_words.FACTORS, pulse_page.USES)
    said["pulse"] = {text for each in subjects for text in each.values()} | {
        title for title, _ in pulse_page.SCENES.values()
    }
    said["beside"] = {text for each in BESIDE for text in (each.of, each.source)}
    return said


def test_every_sentence_has_its_french():
    french, said = words_for("fr").catalogue, catalogue()

    assert len(said) > 300
    assert {place: sorted(missing) for place in said if (missing := said[place] - french.keys())} == {}


def test_a_translation_keeps_the_values_of_its_sentence():
    def names(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    wrong = {
        msgid: forms
        for msgid, forms in words_for("fr").catalogue.items()
        for form in forms
        if names(form) - names(msgid) - {"n"}
    }
    assert wrong == {}


def test_a_missing_sentence_stays_english():
    assert words_for("fr")("No such sentence is translated.") == "No such sentence is translated."


@pytest.mark.parametrize("name", MEASURES)
def test_every_measured_column_has_a_name_for_readers(name):
    words = words_for("en")
    unnamed = [c for c in MEASURES[name].returns.column_names() if columns.label(c, words) == c]

    assert unnamed == []


def test_french_has_one_word_for_who_sells():
    """A reader who meets « vendeur » beside « commercial » looks for the difference."""
    said = {form for forms in words_for("fr").catalogue.values() for form in forms if "vendeur" in form.lower()}

    assert said == set()
