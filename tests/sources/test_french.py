"""Whatever sources say is said in French too: every rule, every repair, every refusal."""

import ast
import re
from pathlib import Path

import pytest

import cadran.sources
from cadran.sources import OPEN_WITH_CLOSE, events, lives, lookups, spans, stages, things
from cadran.sources.databases import NOTES
from cadran.sources.faults import SAID
from cadran.sources.mapping import load_mapping
from cadran.sources.rules import LEFT_OUT, sentences
from cadran.sources.survey_rules import REMARKS
from cadran.tables.problems import Problem
from cadran.text import words_for

FOLDER = Path(cadran.sources.__file__).parent


def told(tree):
    """Sentences given to Problem or fail, directly or through `what` and `repair`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "Problem",
            "fail",
        ):
            for argument in node.args[:2]:
                branches = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
                yield from (n.value for n in branches if isinstance(n, ast.Constant) and n.value)
        if isinstance(node, ast.Assign) and re.search(
            r"^(what|mails|phones)$|repair$", getattr(node.targets[0], "id", "").lower()
        ):
            branches = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            yield from (n.value for n in branches if isinstance(n, ast.Constant))


def said_by_sources():
    problems = [text for path in FOLDER.glob("*.py") for text in told(ast.parse(path.read_text(encoding="utf-8")))]
    notes = [
        "the encoding of a file was guessed",
        OPEN_WITH_CLOSE,
        *events.NEVER.values(),
        "an unknown `{field}` was taken as not given",
        lookups.NOWHERE,
        lookups.SEVERAL,
        spans.OVERLAP,
        spans.HOLE,
        spans.BACK,
        lives.DISAGREES,
        lives.ONLY_HISTORY,
        things.DISAGREES,
        stages.AS_OPEN,
        stages.BY_NAME,
        *LEFT_OUT.values(),
        *REMARKS,
    ]
    faults = [text for said in SAID.values() for text in said]
    return [*dict.fromkeys(problems), *sentences(), *notes, *NOTES, *faults]


def test_every_sentence_has_its_french():
    french = words_for("fr")
    assert len(said_by_sources()) > 150
    assert [text for text in said_by_sources() if text not in french.catalogue] == []


def test_every_rule_that_sets_a_row_aside_is_one_of_them(source, take):
    """What is told in practice is what the catalogue was asked for."""
    damaged = [
        "E1,Acme,Zoe,Demo,soon,2023-01-01,x", "E1,Acme,Ann,Won,2024-01-10,2020-03-01,-1", "E2,,,,,,",
        "E3,Acme,Ann,Won,2024-01-10,,1e12", "E4,Acme,Ann,Won,2026-01-10,2026-02-01,1", "E5,Acme", ",Acme,Ann,Lead,,,",
    ]  # fmt: skip
    deals = (source / "deals.csv").read_text() + "\n".join(damaged) + "\n"
    aside = take(deals).set_aside
    said = {line for text in [*aside["rule"], *aside["repair"]] for line in text.split("\n")}
    assert len(said) > 12
    assert said - set(sentences()) == set()


def test_the_french_names_the_same_values():
    french = words_for("fr")
    for text in said_by_sources():
        names = re.findall(r"\{(\w+)", text.replace("{{", ""))
        assert set(re.findall(r"\{(\w+)", french(text).replace("{{", ""))) == set(names), text


def test_a_refusal_is_told_in_french(tmp_path):
    (tmp_path / "m.toml").write_text("taken = 2024-12-31\nfils = 1\n")
    with pytest.raises(Problem) as caught:
        load_mapping(tmp_path / "m.toml")
    said = re.sub(r"[\u00a0\u202f]", " ", caught.value.told(words_for("fr")))
    assert said == "m.toml : il n'y a pas de clé 'fils'.\nVouliez-vous dire 'files' ?"
