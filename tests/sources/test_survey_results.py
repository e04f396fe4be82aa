"""Survey results read into waves: no answer lost, none counted twice, none on a wrong scale, nobody named."""

import csv
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from cadran.sources.survey_mapping import load_any_mapping
from cadran.sources.survey_results import deliver_waves
from cadran.tables.problems import Problem

ENGAGEMENT = Path("../shared/data/engagement_survey")
HEAD = """
taken = 2024-12-31
[files]
answers = "answers.csv"
[survey]
survey = "pulse"
mode = "confidential"
cadence = "monthly"
retention_months = 24
"""
LONG = """
[answers]
file = "answers"
wave = "Wave"
question = "Question"
answer = "Answer"
respondent = "Id"
team = "Team"
"""
QUESTIONS = """
[[questions]]
id = "enps"
kind = "enps_0_10"
named = ["Would you recommend us?", "Would you recommend us as an employer?"]
[[questions]]
id = "tools"
kind = "agreement"
dimension = "tools"
named = "My tools help me"
not_applicable = ["0", "No idea"]
labels.en = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
labels.fr = ["Pas du tout d'accord", "Pas d'accord", "Ni l'un ni l'autre", "D'accord", "Tout à fait d'accord"]
[[questions]]
id = "first"
kind = "enps_1_10"
named = "From 1 to 10?"
[[questions]]
id = "day"
kind = "choice"
labels = { en = ["Monday", "Friday"], fr = ["Lundi", "Vendredi"] }
[[questions]]
id = "say"
kind = "comment"
named = "Anything else?"
"""
HEADER = "Wave,Id,Team,Question,Answer\n"


@pytest.fixture
def take(tmp_path):
    """Deliver answers, with a mapping; rows read are always accounted for."""

    def deliver_it(answers, mapping=HEAD + LONG + QUESTIONS, name="answers.csv"):
        if answers is not None:
            data = answers if isinstance(answers, bytes) else answers.encode()
            (tmp_path / name).write_bytes(data)
        (tmp_path / "m.toml").write_text(mapping, "utf-8")
        found = deliver_waves(
            load_any_mapping(tmp_path / "m.toml"),
            pseudonyms=lambda persons: pl.Series([f"<{len(p)}{p[::-1]}>" for p in persons], dtype=pl.String),
            mask=lambda texts, persons: texts.str.replace_all("Dupont", "[…]", literal=True),
        )
        for file in found.files:
            assert file.n_read == file.n_accepted + file.n_left_out + file.n_set_aside
        assert sum(file.n_set_aside for file in found.files) == sum(rows.height for rows in found.set_aside.values())
        return found

    return deliver_it


@pytest.fixture
def refused(take):
    """What is said when nothing is taken."""

    def told(*arguments):
        with pytest.raises(Problem) as caught:
            take(*arguments)
        return str(caught.value)

    return told


def answered(results, wave=0):
    """Question, score, option and ballot of each answer of a wave."""
    return sorted(results.waves[wave].answers.select("question_id", "score", "choice", "ballot").rows(), key=str)


def aside(results):
    """Row, rule and what stood there, of each row set aside."""
    frames = [rows.select("row", "rule", "found") for rows in results.set_aside.values()]
    return sorted(pl.concat(frames).rows()) if frames else []


def test_the_real_file_gives_the_shares_that_a_count_by_hand_gives():
    if not ENGAGEMENT.exists():
        pytest.skip("the engagement survey is not beside this checkout")
    found = deliver_waves(
        load_any_mapping("engagement_survey"), ENGAGEMENT,
        pseudonyms=lambda persons: persons, mask=lambda texts, persons: texts,
    )  # fmt: skip
    with (ENGAGEMENT / "employee_survey_responses.csv").open(encoding="utf-8") as opened:
        rows = {tuple(row.values()): row for row in csv.DictReader(opened)}.values()
    given = [(int(r["Question"].split(".")[0]), int(r["Response"]), r["Department"]) for r in rows if r["Response"]]
    favourable = Counter(item for item, score, _ in given if score >= 3)
    scored = Counter(item for item, score, _ in given if score)
    wave = found.waves[0]
    numbers = {q: n for n, q in enumerate(load_any_mapping("engagement_survey").questions, 1) for q in [q.question_id]}

    by_item = wave.answers.group_by("question_id").agg((pl.col("score") >= 3).sum().alias("f"), pl.col("score").count())
    assert {numbers[q]: (f, n) for q, f, n in by_item.rows()} == {i: (favourable[i], scored[i]) for i in range(1, 11)}
    assert [round(100 * favourable[item] / scored[item]) for item in (1, 6)] == [93, 52]
    assert Counter(wave.answers["department"]) == Counter(department for _, _, department in given)
    assert (wave.noted["n_read"], wave.noted["n_set_aside"], wave.noted["n_left_out"]) == (14725, 15, 135)
    assert wave.noted["n_not_applicable"] == sum(score == 0 for _, score, _ in given) == 394
    assert wave.answers["role"].drop_nulls().unique().sort().to_list() == ["Director", "Manager", "Staff", "Supervisor"]
    assert wave.answers["ballot"].is_null().all()
    assert "no reliability" in " ".join(found.noted["note"])
    assert {rule for _, rule, _ in aside(found)} == {"the same row is given once"}


def test_each_question_has_its_own_scale_in_one_column(take):
    found = take(
        HEADER
        + "2024-05,a,North,Would you recommend us?,0\n"
        + "2024-05,b,North,Would you recommend us?,11\n"
        + "2024-05,a,North,From 1 to 10?,0\n"
        + "2024-05,b,North,From 1 to 10?,10\n"
        + '2024-05,a,North,My tools help me,"4,0"\n'
        + "2024-05,b,North,My tools help me,7\n"
        + "2024-05,c,North,My tools help me, strongly  AGREE \n"
        + "2024-05,d,North,My tools help me,N/A\n"
        + "2024-05,e,North,My tools help me,\n"
        + "2024-05,f,North,My tools help me,3.5\n"
        + "2024-05,g,North,My tools help me,rather\n"
        + '2024-05,h,North,My tools help me,"0,0"\n'
        + "2024-05,i,North,My tools help me,no idea\n"
        + "2024-05,a,North,day,vendredi\n"
        + "2024-05,b,North,day,Sunday\n"
    )

    assert [row[:3] for row in answered(found)] == [
        ("day", None, "Friday"), ("enps", 0, None), ("first", 10, None), ("tools", 4, None), ("tools", 5, None),
        *[("tools", None, None)] * 3,
    ]  # fmt: skip
    scale, word = (
        "a score is a whole number on the scale of its question",
        "an answer is a score, or a word that the mapping gives one",
    )
    assert aside(found) == [
        (2, scale, "Answer = 11 (enps: 0-10)"),
        (3, scale, "Answer = 0 (first: 1-10)"),
        (6, scale, "Answer = 7 (tools: 1-5)"),
        (10, scale, "Answer = 3.5 (tools: 1-5)"),
        (11, word, "Answer = rather (tools)"),
        (15, "a choice is one of the options of its question", "Answer = Sunday (≈ Monday)"),
    ]
    assert found.waves[0].noted["n_not_applicable"] == 3
    assert found.files[0].n_left_out == 1


def test_a_wording_that_drifted_is_one_question_and_an_unknown_one_is_told_with_the_nearest(take):
    found = take(
        HEADER
        + "2024-05,a,North,Would you recommend us?,9\n"
        + "2024-05,b,North,would you  recommend us as an employer? ,8\n"
        + "2024-05,c,North,Would you recommend us to a friend?,3\n"
    )

    assert [row[1] for row in answered(found)] == [8, 9]
    assert aside(found) == [
        (3, "every answer is to a question of the mapping",
         "Question = Would you recommend us to a friend? (≈ Would you recommend us?)"),
    ]  # fmt: skip
    assert "the wordings of `enps` were taken as one question" in found.noted["note"].to_list()


def test_the_same_answer_twice_is_one_and_two_that_differ_are_none(take):
    found = take(
        HEADER
        + "2024-05,a,North,Would you recommend us?,9\n"
        + "2024-05,A,North,Would you recommend us?,9\n"
        + "2024-05,b,North,Would you recommend us?,9\n"
        + "2024-05,b,North,Would you recommend us?,2\n"
        + "2024-06,b,North,Would you recommend us?,2\n"
    )

    assert [row[1] for row in answered(found)] == [9]
    assert [row[1] for row in answered(found, 1)] == [2]
    twice = "a respondent answers a question once in a wave"
    assert [(row, rule) for row, rule, _ in aside(found)] == [
        (2, "a respondent gives an answer once in a wave"), (3, twice), (4, twice),
    ]  # fmt: skip


def test_a_copy_may_be_somebody_of_another_company_and_that_is_told(take):
    found = take("Wave,Company,Id,Team,Question,Answer\n2024-05,X,1,N,enps,9\n2024-05,Y,1,N,enps,9\n")

    (told,) = found.set_aside.values()
    assert told["repair"].item().startswith("Remove the copy; the first one is kept. If identifiers recur")
    assert told["row"].item() == 2


def test_identifiers_that_recur_across_companies_are_keys_of_two_columns(take):
    answers = "Wave,Company,Id,Team,Question,Answer\n2024-05,X,1,N,enps,9\n2024-05,Y,1,S,enps,2\n"
    both = LONG.replace('"Id"', '["Company", "Id"]')

    assert [row[1] for row in answered(take(answers, HEAD + both + QUESTIONS))] == [2, 9]
    with pytest.raises(Problem, match=r"All 2 answers were set aside.*once in a wave"):
        take(answers)


def test_who_is_told_in_two_teams_of_one_wave_is_in_neither(take):
    found = take(
        HEADER
        + "2024-05,a,North,Would you recommend us?,9\n"
        + "2024-05,a,South,My tools help me,4\n"
        + "2024-05,b,North,Would you recommend us?,7\n"
        + "2024-05,b,,My tools help me,4\n"
        + "2024-06,b,South,Would you recommend us?,7\n"
    )

    assert [wave.answers["team"].to_list() for wave in found.waves] == [["North", "North"], ["South"]]
    assert [(row, found) for row, _, found in aside(found)] == [(1, "Team = North"), (2, "Team = South")]


WIDE = """
[responses]
file = "answers"
wave = { constant = "2024-05" }
respondent = "Id"
team = "Team"
"""


def test_a_row_per_respondent_gives_the_same_waves_as_a_row_per_answer(take):
    wide = take(
        "Id,Team,Would you recommend us?,My tools help me ,Anything else?,Ignored\n"
        "a,North,9,4,No more Dupont!,x\nb,South,3,,,y\nc,South,N/A,Agree,,\nd,South,,,,z\n",
        HEAD + WIDE + QUESTIONS,
    )
    long = take(
        HEADER
        + "2024-05,b,South,Would you recommend us?,3\n"
        + "2024-05,c,South,My tools help me,Agree\n"
        + "2024-05,c,South,Would you recommend us?,N/A\n"
        + "2024-05,a,North,Anything else?,No more Dupont!\n"
        + "2024-05,a,North,My tools help me,4\n"
        + "2024-05,a,North,Would you recommend us?,9\n"
    )

    for name in ("questions", "answers", "comments"):
        assert getattr(wide.waves[0], name).equals(getattr(long.waves[0], name))
    assert wide.waves[0].comments.select("question_id", "text", "team").rows() == [("say", "No more […]!", "North")]
    assert wide.waves[0].noted["n_respondents"] == 3
    assert (wide.files[0].n_left_out, wide.files[0].n_accepted) == (1, 3)
    assert ("the question `first` stands nowhere in this file", 0) in wide.noted.select("note", "n").rows()


def test_a_respondent_s_row_with_a_bad_cell_is_set_aside_whole_and_says_which(take):
    found = take(
        "Id,Team,enps,My tools help me\na,N,9,4\nb,N,11,4\nc,N,9,4\nc,N,9,5\nd,N,11,7\n", HEAD + WIDE + QUESTIONS
    )

    assert [row[:2] for row in answered(found)] == [("enps", 9), ("tools", 4)]
    assert [(row, what) for row, _, what in aside(found)] == [
        (2, "enps = 11 (enps: 0-10)"), (3, ""), (4, ""),
        (5, "enps = 11\nMy tools help me = 7 (enps: 0-10) (tools: 1-5)"),
    ]  # fmt: skip


def test_an_anonymous_survey_keeps_no_trace_of_its_respondents(take):
    rows = [
        f"2024-05,person{n},North,{q},{(n * 7 + len(q)) % 5 + 1}\n"
        for n in range(9)
        for q in ("enps", "My tools help me")
    ]
    anonymous = HEAD.replace("confidential", "anonymous") + LONG + QUESTIONS
    one, other = take(HEADER + "".join(rows), anonymous), take(HEADER + "".join(reversed(rows)), anonymous)

    assert one.waves[0].answers.equals(other.waves[0].answers)
    assert one.waves[0].answers["ballot"].n_unique() == 9
    assert not any("person" in str(value) for value in one.waves[0].answers["ballot"])


def test_a_confidential_survey_knows_who_is_the_same_in_two_waves(take):
    found = take(HEADER + "2024-05,a,N,enps,9\n2024-06,a,N,enps,8\n2024-06,b,N,enps,7\n")
    ballots = [set(wave.answers["ballot"]) for wave in found.waves]

    assert ballots[0] < ballots[1]


def test_a_respondent_may_be_an_address_which_is_kept_nowhere(take):
    found = take(HEADER + "2024-05,jo@x.fr,N,enps,9\n2024-05,al@x.fr,N,enps,99\n2024-05,,N,enps,9\n")

    assert "@" not in str([rows.to_dicts() for rows in found.set_aside.values()])
    assert [rule for _, rule, _ in aside(found)] == [
        "a score is a whole number on the scale of its question", "every row names its respondent",
    ]  # fmt: skip


def test_an_attribute_that_holds_addresses_is_refused(refused):
    assert "e-mail addresses" in refused(HEADER + "2024-05,1,jo@x.fr,enps,9\n")


def test_waves_are_told_by_days_and_one_that_was_open_still_is_left_out(take):
    dated = (
        (HEAD + LONG + QUESTIONS).replace('wave = "Wave"', 'answered_at = "Wave"').replace("2024-12-31", "2024-06-12")
    )
    found = take(HEADER + "05/05/2024,a,N,enps,9\n31/05/2024,b,N,enps,8\n2/6/2024,a,N,enps,7\n,c,N,enps,7\n", dated)

    assert [(w.wave, str(w.opened_at), str(w.closed_at)) for w in found.waves] == [
        ("2024-05", "2024-05-01 00:00:00+00:00", "2024-05-31 23:59:59+00:00"),
    ]  # fmt: skip
    assert found.noted.filter(note="left out: their wave had not closed when the data was taken")["n"].to_list() == [1]
    assert [(row, rule) for row, rule, _ in aside(found)] == [(4, "every answer belongs to a wave")]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-Q4", "2024-10-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-12", "2024-12-01", "2024-12-31"),
        ("2020-W53", "2020-12-28", "2021-01-03"),
    ],
)
def test_a_wave_s_name_tells_its_days(name, first, last):
    from cadran.sources.survey_waves import period

    assert tuple(map(str, period(name))) == (first, last)


@pytest.mark.parametrize("name", ["spring", "2024-13", "2024-W60", "2023-02-29", "24-05"])
def test_other_names_tell_none(name):
    from cadran.sources.survey_waves import period

    assert period(name) is None


def test_waves_whose_names_do_not_sort_by_time_are_refused(refused):
    waves = "[waves]\nspring = { closed = 2024-05-01 }\nautumn = { closed = 2024-11-01 }\n"
    told = refused(HEADER + "spring,a,N,enps,9\nautumn,a,N,enps,9\n", HEAD + LONG + QUESTIONS + waves)

    assert "do not sort by time" in told


def test_a_file_with_a_header_alone_is_told(refused, take, tmp_path):
    assert refused(HEADER).startswith("answers.csv has a header and no rows.")

    (tmp_path / "more.csv").write_text(HEADER)
    head = HEAD.replace("[survey]", 'more = { path = "more.csv", optional = true }\n[survey]')
    both = LONG.replace("[answers]", "[[answers]]") + LONG.replace("[answers]", "[[answers]]").replace(
        '"answers"', '"more"'
    )
    found = take(HEADER + "2024-05,a,N,enps,9\n", head + both + QUESTIONS)
    assert [(file.file, file.n_read) for file in found.files] == [("answers.csv", 1)]


@pytest.mark.parametrize("text", ["1e0", "1_0", "٧", "7/10", "nan", "inf", "-", "0x7", "1 0"])
def test_what_is_no_plain_number_is_no_score(take, text):
    found = take(HEADER + f"2024-05,a,N,enps,9\n2024-05,b,N,enps,{text}\n")

    assert aside(found) == [
        (2, "an answer is a score, or a word that the mapping gives one", f"Answer = {text} (enps)")
    ]


@pytest.mark.parametrize("text", ["7", "07", "+7", "7.0", '"7,0"', '"7,"', " 7 "])
def test_a_number_in_any_writing_is_its_score(take, text):
    assert answered(take(HEADER + f"2024-05,a,N,enps,{text}\n"))[0][:2] == ("enps", 7)


def test_every_form_of_file_gives_the_same_wave(take, tmp_path):
    text = HEADER + "2024-05,a,Équipe Sud,enps,9\n2024-05,b,Équipe Sud,My tools help me,4\n"
    frame = pl.read_csv(text.encode(), infer_schema=False)
    frame.with_columns(pl.col("Answer").cast(pl.Int8)).write_parquet(tmp_path / "a.parquet")
    frame.write_excel(tmp_path / "a.xlsx")
    mapping = HEAD + LONG + QUESTIONS
    expected = take(text).waves[0]
    found = [
        take(text.replace(",", ";").encode("cp1252")),
        take(None, mapping.replace("answers.csv", "a.parquet")),
        take(None, mapping.replace("answers.csv", "a.xlsx")),
        take(text.replace(",", "\t"), mapping.replace("answers.csv", "a.tsv"), "a.tsv"),
    ]

    assert all(each.waves[0].answers.equals(expected.answers) for each in found)


def test_a_column_of_another_file_is_joined(take, tmp_path):
    (tmp_path / "people.csv").write_text("Login,Team\na,North\nb,South\n")
    joined = LONG.replace('"Team"', '{ column = "Team", from = "people", on = { Id = "Login" } }')
    head = HEAD.replace("[survey]", 'people = "people.csv"\n[survey]')
    found = take("Wave,Id,Question,Answer\n2024-05,a,enps,9\n2024-05,b,enps,3\n", head + joined + QUESTIONS)

    assert found.waves[0].answers.select("team", "score").sort("team").rows() == [("North", 9), ("South", 3)]


def test_a_row_with_a_cell_too_many_is_set_aside(take):
    found = take(HEADER + "2024-05,a,N,enps,9\n2024-05,b,N,enps,9,9\n")

    assert [(row, rule) for row, rule, _ in aside(found)] == [(2, "every row has as many cells as the header")]


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('mode = "confidential"', "", "whether the survey was anonymous or confidential"),
        ('mode = "confidential"', 'mode = "secret"', "cannot be 'secret'"),
        ("retention_months = 24", "", "how long answers are kept"),
        ('survey = "pulse"', 'survey = "a@b"', "no name of a survey"),
        ('cadence = "monthly"', 'cadence = "monthly"\nminimum = 2', "no group under 3"),
        ('mode = "confidential"', 'mode = "anonymous"\nrolling = 3', "an anonymous survey has no rolling score"),
        ('cadence = "monthly"', 'cadence = "monthly"\nrolling = 20', "rolling = 20 is no number of waves"),
        ('cadence = "monthly"', 'cadence = "monthly"\ncuts = ["region"]', "the cut region is in no column"),
        ('cadence = "monthly"', 'cadence = "monthly"\ncuts = []', "team is read and never shown"),
        ('wave = "Wave"', "", "does not tell the wave"),
        ('wave = "Wave"', 'wave = "Round"', "no column 'Round'"),
        ('answer = "Answer"', "", "lacks answer"),
        ('team = "Team"', 'teams = "Team"', "Did you mean 'team'?"),
        ('id = "tools"', 'id = "enps"', "stands in `id` of two questions"),
        ('named = "My tools help me"', 'named = "would you recommend us?"', "stands in `named` of two questions"),
        ('kind = "agreement"', 'kind = "agreement"\nhigh = 4', "says which scores are favourable"),
        ('kind = "agreement"', 'kind = "agreement"\nscores = { Great = 6 }', "no score of its scale"),
        ('kind = "enps_0_10"', 'kind = "enps_0_10"\nlow = 1\nfavourable_from = 9\nunfavourable_to = 6', "scale of its own"),
        ('labels = { en = ["Monday", "Friday"], fr = ["Lundi", "Vendredi"] }', "", "options in both languages"),
        ('kind = "comment"', 'kind = "comment"\nlow = 1', "a comment has no scale"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mapping_is_told(refused, wrong, right, told):
    mapping = HEAD + LONG + QUESTIONS
    assert wrong in mapping

    assert told in refused(HEADER + "2024-05,a,N,enps,9\n", mapping.replace(wrong, right, 1))


def test_a_file_that_asks_none_of_the_questions_is_refused(refused):
    told = refused("Id,Team,Recommend us\na,N,9\n", HEAD + WIDE + QUESTIONS)

    assert "asks none of the questions" in told
    assert "'recommend us'" in told


def test_every_key_is_documented():
    from cadran.sources.survey_vocabulary import RESULT_KEYS
    from cadran.tables.pulse import CUTS

    page = (Path(__file__).parent.parent.parent / "docs" / "survey_results.md").read_text("utf-8")
    keys = {key for section in RESULT_KEYS.values() for key in section} | {*CUTS, "answered_at", "answer_id"}

    assert sorted(key for key in keys if f"`{key}`" not in page) == []


def test_the_mappings_of_the_page_are_ones(take):
    page = (Path(__file__).parent.parent.parent / "docs" / "survey_results.md").read_text("utf-8")
    whole, wide = (part.split("```")[0] for part in page.split("```toml\n")[1:3])
    answers = (
        "Submitted,Company,Id,Region,Team,Question,Answer,Why\n2024-05-03,X,1,North,N-E,Would you recommend us?,9,\n"
    )
    in_columns = whole[: whole.index("[answers]")] + wide + whole[whole.index("[[questions]]") :]

    assert take(answers, whole).waves[0].answers["team"].to_list() == ["North East"]
    assert (
        take("Id,Team,My tools help me\n1,N,Agree\n", in_columns.replace('"region", ', "")).waves[0].answers["score"][0]
        == 4
    )
