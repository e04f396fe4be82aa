"""Surveys as TOML files: what they declare, what each wave asks, and everything that keeps one from opening."""

from collections import Counter

import polars as pl
import pytest

from cadran.sources.question import dimensions, library
from cadran.sources.questionnaire import Refused, load_questionnaire, seconds
from cadran.sources.survey_draft import chosen, draft
from cadran.tables.problems import Problem
from cadran.tables.pulse import Question
from cadran.text import words_for

HEAD = """
survey = "pulse"
title = { en = "How are we?", fr = "Comment allons-nous ?" }
mode = "anonymous"
cadence = "monthly"
controller = "Acme SAS"
purpose = { en = "To work better.", fr = "Mieux travailler." }
retention_months = 12
contact = "rights@acme.example"
"""
OWN = """
[[questions]]
id = "parking"
text = { en = "I find a parking space.", fr = "Je trouve une place de parking." }
dimension = "site"
"""


def load(tmp_path, text, **changed):
    """A survey from the head above, with lines of it changed (None: left out), and `text` after it."""
    lines = [line for line in HEAD.strip().split("\n") if line.split(" ")[0] not in changed]
    lines += [f"{key} = {value}" for key, value in changed.items() if value is not None]
    file = tmp_path / "pulse.toml"
    file.write_text("\n".join([*lines, text]), "utf-8")
    return load_questionnaire(file)


def asked(*items, more=""):
    return "\n".join(f'[[questions]]\nitem = "{item}"\n{more}' for item in items)


def faults(tmp_path, text, **changed):
    """What is told of a survey that may not open, in English."""
    with pytest.raises(Refused) as refused:
        load(tmp_path, text, **changed)
    return [fault.told(words_for("en")) for fault in refused.value.faults]


def test_what_is_said_is_read_and_the_rest_has_its_default(tmp_path):
    read = load(
        tmp_path, asked("enps", "tools_twice") + OWN, cuts='["role", "team", "region"]', crossed='[["region", "role"]]'
    )

    terms = read.terms
    assert (terms.survey, terms.title["fr"], terms.mode, terms.cadence) == (
        "pulse",
        "Comment allons-nous ?",
        "anonymous",
        "monthly",
    )
    assert (terms.minimum, terms.comments_minimum) == (5, 8)
    assert (terms.cuts, terms.crossed) == (("region", "team", "role"), (("region", "role"),))
    Question.validate(read.questions)
    enps, twice, parking = read.questions.iter_rows(named=True)
    assert (enps["kind"], enps["low"], enps["high"], enps["dimension"]) == ("enps_1_10", 1, 10, None)
    assert (enps["favourable_from"], enps["unfavourable_to"], len(enps["labels_fr"])) == (9, 6, 2)
    assert (twice["is_reversed"], twice["dimension"], twice["high"], len(twice["labels_en"])) == (True, "tools", 5, 5)
    assert (parking["dimension"], parking["favourable_from"], parking["unfavourable_to"]) == ("site", 4, 2)
    assert (read.always, read.cycle, read.remarks) == (("enps",), 1, ())


def test_a_scale_a_choice_and_a_comment_of_its_own(tmp_path):
    read = load(tmp_path, """
[[questions]]
id = "days"
text = { en = "Days of delay.", fr = "Jours de retard." }
dimension = "process"
reversed = true
scale = { low = 0, high = 10, favourable_from = 8, unfavourable_to = 5, labels.en = ["None", "Ten"], labels.fr = ["Aucun", "Dix"] }
[[questions]]
id = "meeting"
kind = "choice"
text = { en = "Which meeting should go?", fr = "Quelle réunion faut-il retirer ?" }
options = { en = ["Monday", "Friday"], fr = ["Lundi", "Vendredi"] }
[[questions]]
id = "words"
kind = "comment"
text = { en = "And what else?", fr = "Et quoi d'autre ?" }
""")  # fmt: skip

    days, meeting, words = read.questions.iter_rows(named=True)
    assert [days[k] for k in ("low", "high", "favourable_from", "unfavourable_to", "is_reversed")] == [
        0,
        10,
        8,
        5,
        True,
    ]
    assert (meeting["labels_fr"], meeting["low"]) == (["Lundi", "Vendredi"], None)
    assert (words["labels_en"], words["dimension"]) == (None, None)


@pytest.mark.parametrize("per_wave", [2, 5, 8, 10])
@pytest.mark.parametrize("n", [9, 11, 23, 39])
def test_questions_that_turn_are_spread_evenly_over_waves_and_dimensions(tmp_path, n, per_wave):
    items = [name for name, row in library().items() if row["dimension"]]
    read = load(tmp_path, asked("enps", *items[::2], *items[1::2][: n - len(items[::2])]) if n > 20 else asked("enps", *items[:n]),
                per_wave=per_wave)  # fmt: skip
    n = read.questions.height - 1
    waves = [read.questions_of(number) for number in range(read.cycle)]

    assert read.cycle == -(-n // (per_wave - 1))
    assert all("enps" in wave["question_id"] and wave.height <= per_wave for wave in waves)
    turned = Counter(name for wave in waves for name in wave["question_id"] if name != "enps")
    assert (len(turned), set(turned.values())) == (n, {1})
    sizes = [wave.height for wave in waves]
    assert max(sizes) - min(sizes) <= 1
    for dimension in read.questions["dimension"].drop_nulls().unique():
        held = [wave.filter(pl.col("dimension") == dimension).height for wave in waves]
        assert sum(held) >= 1
        assert max(held) - min(held) <= 1
    assert read.questions_of(read.cycle).equals(waves[0])
    order = read.questions["question_id"].to_list()
    assert all(wave["question_id"].to_list() == sorted(wave["question_id"], key=order.index) for wave in waves)


def test_a_question_can_be_kept_in_every_wave_and_enps_can_turn(tmp_path):
    text = (
        '[[questions]]\nitem = "enps"\nevery = "cycle"\n'
        + asked("pay_fair", more='every = "wave"\n')
        + asked("tools_crm")
    )
    read = load(tmp_path, text, per_wave=2)

    assert [set(read.questions_of(k)["question_id"]) for k in range(2)] == [
        {"enps", "pay_fair"},
        {"tools_crm", "pay_fair"},
    ]


def test_the_digest_is_of_what_is_told_and_asked(tmp_path):
    read = load(tmp_path, asked("enps", "pay_fair"))
    same = load(tmp_path, "# a remark\n" + asked("enps", "pay_fair"))

    assert read.digest == same.digest
    assert read.text != same.text
    others = [
        load(tmp_path, asked("enps", "pay_fair"), contact='"other@acme.example"'),
        load(tmp_path, asked("pay_fair", "enps")),
        load(tmp_path, asked("enps", "pay_fair"), per_wave=9),
        load(tmp_path, asked("enps") + asked("pay_fair", more='every = "wave"\n')),
    ]
    assert len({read.digest, *(other.digest for other in others)}) == 5


def test_time_to_answer_is_reading_and_choosing(tmp_path):
    read = load(tmp_path, OWN + asked("first_change"))

    # 5 to begin; 5 + 8 words at 238 a minute; 3 to choose; 20 to write.
    assert seconds(read.questions, "en") == pytest.approx(5 + 13 / 238 * 60 + 3 + 20)


@pytest.mark.parametrize(
    ("changed", "text", "said"),
    [
        ({"minimum": "2"}, asked("enps"), "pulse.toml: minimum: 2 is below 3."),
        ({"minimum": "9", "comments_minimum": "8"}, asked("enps"), "comments_minimum: 8 is below 9."),
        ({"mode": '"anonymous"', "rolling": "4"}, asked("enps"), "rolling: Nothing tells which answer of an anonymous survey"),
        ({"mode": '"confidential"', "rolling": "1"}, asked("enps"), "rolling: 1 is below 2."),
        ({"mode": '"confidential"', "rolling": "13"}, asked("enps"), "rolling: 13 is above 12."),
        ({"mode": '"anonimous"'}, asked("enps"), "mode: anonimous is unknown here.\nWrite one of: anonymous"),
        ({"mode": None}, asked("enps"), "mode: It is missing."),
        ({"cadence": '"daily"'}, asked("enps"), "cadence: daily is unknown here."),
        ({"controller": '" "'}, asked("enps"), "controller: It is empty."),
        ({"contact": None}, asked("enps"), "contact: It is missing."),
        ({"retention_months": "600"}, asked("enps"), "retention_months: 600 is above 60."),
        ({"survey": '"../x"'}, asked("enps"), "survey: “../x” is no name."),
        ({"survey": '""'}, asked("enps"), "survey: “” is no name."),
        ({"title": '{ en = "Pulse" }'}, asked("enps"), "title.fr: This language is missing."),
        ({"cuts": '["regoin"]'}, asked("enps"), "cuts: regoin is unknown here.\nWrite one of: region"),
        ({"cuts": '["role", "role"]'}, asked("enps"), "cuts: role stands twice."),
        ({"crossed": '[["region", "role"]]'}, asked("enps"), "crossed: role is crossed, but is no cut of this survey."),
        ({"crossed": '[["region", "team"]]'}, asked("enps"), "crossed: region × team is no crossed table."),
        ({"cuts": '["region", "role"]', "crossed": '[["region", "role"], ["role", "region"]]'}, asked("enps"),
         "crossed: region × role stands twice."),
        ({"crossed": '["region"]'}, asked("enps"), 'crossed: ["region"] is no list of pairs.'),
        ({"crossed": '[["region", "regoin"]]'}, asked("enps"), "crossed: regoin is unknown here."),
        ({"cadense": '"weekly"'}, asked("enps"), "cadense: This is no key of the table.\nDid you mean: cadence?"),
        ({"per_wave": "11"}, asked("enps"), "per_wave: 11 is above 10."),
        ({"per_wave": "1"}, asked("enps", "pay_fair"), "per_wave: 1 of 2 questions are asked in every wave"),
        ({}, "", "questions: It asks nothing."),
        ({}, asked(*list(library())[:5], *list(library())[8:14]), "questions: It has 11 questions, and a wave asks 10 at most."),
        ({"cadence": '"once"', "per_wave": "2"}, asked("pay_fair", "tools_crm", "data_used"), "per_wave: It has 3 questions"),
        ({}, asked("enps", "enps_0_10"), "questions: The two scales of eNPS cannot be told together."),
        ({}, asked("tools_crn"), "questions[1].item: tools_crn is unknown here.\nWrite one of: tools_crm"),
        ({}, asked("enps", "enps"), "questions[2].item: enps stands twice."),
        ({}, OWN + OWN, "questions[2] (parking).id: parking stands twice."),
        ({}, OWN.replace("parking", "pay_fair"), "(pay_fair).id: pay_fair is a question of the library"),
        ({}, asked("enps", more='text.en = "Mine"\n'), "questions[1].text: This is no key of the table."),
        ({}, OWN.replace('"parking"', "7"), "questions[1].id: 7 is no text."),
        ({}, OWN + 'knid = "comment"', "questions[1] (parking).knid: This is no key of the table.\nDid you mean: kind?"),
        ({}, OWN + 'kind = "enps_1_10"\nreversed = true', "(parking).reversed: Only an agreement is turned"),
        ({}, OWN + 'kind = "enps_1_10"\nscale = { high = 5 }', "(parking).scale: A question of kind enps_1_10 has a fixed form."),
        ({}, OWN + 'kind = "choice"', "(parking).options: A choice has 2 to 10 options, not 0."),
        ({}, OWN + 'kind = "choice"\noptions = { en = ["A", "A"], fr = ["A", "B"] }', "options.en: A stands twice."),
        ({}, OWN + 'kind = "choice"\noptions = { en = ["A", "B"], fr = ["A"] }', "options.fr: 2 in English, 1 in French."),
        ({}, OWN + "scale = { low = 3, high = 3, favourable_from = 3, unfavourable_to = 3 }", "scale.high: A scale from 3 to 3"),
        ({}, OWN + "scale = { low = 1, high = 50 }", "scale.high: 50 is above 10."),
        ({}, OWN + "scale = { low = 1, high = 7 }", "scale.favourable_from: It is missing."),
        ({}, OWN + "scale = { high = 5, favourable_from = 2, unfavourable_to = 2 }", "scale.favourable_from: From 1 to 5"),
        ({}, OWN + "scale = { high = 7, favourable_from = 6, unfavourable_to = 3 }", "labels: A scale of 7 points has 0 labels."),
        ({}, OWN.replace('dimension = "site"', ""), "(parking).dimension: It is missing."),
        ({}, OWN.replace("fr = ", "de = "), "(parking).text.fr: This language is missing."),
        ({}, OWN.replace("a parking space", "my union rep"), "(parking).text.en: “union” asks about unions."),
        ({}, OWN.replace("une place de parking", "que ma santé va bien"), "(parking).text.fr: “santé” asks about health."),
        ({}, "questions = 3", "questions: 3 is no list of tables."),
        ({}, '[[questions]]\nitem = "enps"\nevery = "year"', "questions[1].every: year is unknown here."),
    ],
)  # fmt: skip
def test_what_keeps_it_from_opening_is_told_with_its_place_and_repair(tmp_path, changed, text, said):
    told = faults(tmp_path, text, **changed)

    assert [each for each in told if said in each] != [], told
    assert all(len(each.split("\n")) == 2 for each in told)
    assert all(each.startswith("pulse.toml: ") for each in told)


def test_one_mistake_is_one_fault(tmp_path):
    for changed, text in [
        ({"minimum": "2"}, asked("enps")),
        ({}, asked("tools_crn") + OWN),
        ({}, OWN + "scale = { low = 3, high = 3, favourable_from = 3, unfavourable_to = 3 }"),
        ({"title": '{ en = "Pulse" }'}, asked("enps")),
        ({"mode": None}, asked("enps")),
    ]:
        assert len(faults(tmp_path, text, **changed)) == 1


def test_all_faults_are_told_together_and_remarks_beside(tmp_path):
    text = OWN + OWN.replace("parking", "union").replace("I find", "I always find") + asked("tools_crn")
    with pytest.raises(Refused) as refused:
        load(tmp_path, text, minimum=2, mode='"open"', colour='"red"')

    assert len(refused.value.faults) == 5
    assert [(each.question, each.rule) for each in refused.value.remarks] == [("union", "absolute")]
    assert len(refused.value.told(words_for("fr")).split("\n")) == 10


def test_remarks_do_not_keep_it_from_opening(tmp_path):
    read = load(tmp_path, OWN.replace("I find", "I never find"))

    assert [(each.question, each.rule, each.is_refused) for each in read.remarks] == [("parking", "absolute", False)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"survey = pulse", "pulse.toml is no TOML:"),
        (b'survey = "pulse"\ntitle = "\xe9t\xe9"', "pulse.toml is not written in UTF-8: line 2."),
        (b"\xff\xfes\x00", "pulse.toml is not written in UTF-8: line 1."),
        (b"a = 1\na = 2", "pulse.toml is no TOML:"),
        (b"", "survey: It is missing."),
        (b"\x00", "pulse.toml is no TOML:"),
    ],
)
def test_what_is_no_survey_at_all_is_told(tmp_path, data, said):
    file = tmp_path / "pulse.toml"
    file.write_bytes(data)
    with pytest.raises(Problem) as problem:
        load_questionnaire(file)

    assert said in problem.value.told(words_for("en"))


def test_no_file_and_a_folder_are_told(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(Problem):
            load_questionnaire(path)


def test_the_library_has_four_to_six_questions_of_each_dimension_some_reversed():
    rows = [row for row in library().values() if row["dimension"]]
    for name in ("workload", "tools", "data", "process", "pay", "manager", "recognition", "growth"):
        own = [row for row in rows if row["dimension"] == name]
        assert 4 <= len(own) <= 6
        assert {row["is_reversed"] for row in own} == {True, False}
        assert all(row["question_id"].startswith(f"{name}_") for row in own)
        assert set(dimensions()[name]) == {"dimension", "en", "fr"}
    assert len({row["text_en"] for row in rows}) == len({row["text_fr"] for row in rows}) == len(rows)
    Question.validate(pl.DataFrame(list(library().values()), schema=Question.create_empty().schema))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("asked_for", [[], ["tools", "enps_0_10"], ["pay_fair"]])
def test_a_draft_may_open_as_it_is_written(tmp_path, language, asked_for):
    file = tmp_path / "draft.toml"
    items = chosen(asked_for)
    file.write_text(
        draft("draft", "confidential", "weekly", items, 'A "B" \\ C', "x", language, words_for(language)), "utf-8"
    )
    read = load_questionnaire(file)

    assert read.questions["question_id"].to_list() == items
    assert (read.terms.mode, read.terms.cadence, read.terms.controller) == ("confidential", "weekly", 'A "B" \\ C')
    assert read.remarks == ()
    assert max(seconds(read.questions_of(wave), of) for wave in range(read.cycle) for of in ("en", "fr")) < 60
    example = file.read_text("utf-8").split("# [[questions]]")[1].replace("\n# ", "\n")
    file.write_text(file.read_text("utf-8").split("[[questions]]")[0].rstrip("# ") + "[[questions]]" + example, "utf-8")
    assert load_questionnaire(file).questions["question_id"].to_list() == ["meetings_useful"]


def test_a_draft_takes_dimensions_and_questions_each_once():
    assert chosen(["pay_fair", "pay"])[0] == "pay_fair"
    assert len(chosen(["pay_fair", "pay"])) == 5
    turned = Counter(library()[item]["is_reversed"] for item in chosen([]))
    assert turned == {False: 10, True: 8}
    with pytest.raises(Problem, match="no question and no dimension lunch"):
        chosen(["lunch"])
