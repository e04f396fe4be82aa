"""`cadran survey new` and `check`, as a person or a script meets them."""

import json
import tomllib

import pytest

DECLARED = ("--controller", "Acme SAS", "--contact", "rights@acme.example")


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A folder of its own, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")


def test_a_new_survey_may_open(run):
    status, told, _ = run("survey", "new", "pulse", *DECLARED)
    assert (status, "pulse.toml: 18 questions." in told) == (0, True)

    status, told, complaint = run("survey", "check", "pulse.toml")
    assert (status, complaint) == (0, "")
    for said in (
        "How are we doing?", "workload_urgent", "Anonymous: nothing links what a person answers from one wave to the next.",
        "Answers for the data: Acme SAS.", "Rights: rights@acme.example.", "Cut by: region and team.",
        "groups of at least 5 respondents, comments of at least 8", "Every question is asked within 4 waves.", "It may open.",
    ):  # fmt: skip
        assert said in told


def test_a_new_survey_in_french_is_as_asked(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    asked = ("--mode", "confidential", "--cadence", "weekly", "--items", "tools,enps_0_10", "--items", "first_change")
    run("survey", "new", "pouls", *asked, *DECLARED)
    with open("pouls.toml", "rb") as file:
        read = tomllib.load(file)
    assert (read["mode"], read["cadence"], len(read["questions"])) == ("confidential", "weekly", 7)
    with open("pouls.toml", encoding="utf-8") as file:
        assert "# Une enquête Pulse." in file.read()

    status, told, _ = run("survey", "check", "pouls.toml")
    assert status == 0
    assert "Comment allons-nous ?" in told
    for said in (
        "Confidentielle\u00a0:",
        "Toutes les semaines.",
        "Responsable des données\u00a0:",
        "région et équipe",
        " échelle d'accord ",
        " eNPS, de 0 à 10 ",
        "Elle peut ouvrir.",
    ):
        assert said in told


def test_what_is_left_to_declare_is_told_and_keeps_it_from_opening(run):
    _, told, _ = run("survey", "new", "pulse")
    assert "To fill in before it opens: controller, contact." in told

    status, told, complaint = run("survey", "check", "pulse.toml")
    assert (status, told) == (1, "")
    assert "pulse.toml: controller: It is empty." in complaint
    assert "pulse.toml: contact: It is empty." in complaint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pulse"], "pulse.toml is there already."),
        (["../pulse"], "“../pulse” is no name."),
        (["Enquête"], "“Enquête” is no name."),
        (["other", "--items", "lunch"], "The library has no question and no dimension lunch."),
    ],
)
def test_a_new_survey_overwrites_nothing_and_asks_nothing_unknown(run, tmp_path, arguments, said):
    (tmp_path / "pulse.toml").write_text("mine")
    status, _, complaint = run("survey", "new", *arguments)

    assert (status, said in complaint) == (1, True)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_a_script_reads_the_plan(run):
    run("survey", "new", "pulse", *DECLARED)
    status, answer, _ = run("survey", "check", "pulse.toml", "--format", "json")
    read = json.loads(answer)

    assert (status, read["may_open"], read["always"]) == (0, True, ["enps"])
    assert read["terms"]["controller"] == "Acme SAS"
    assert sorted(name for wave in read["waves"] for name in wave["questions"] if name != "enps") == sorted(
        row["question_id"] for row in read["questions"] if row["question_id"] != "enps"
    )
    assert all(30 <= wave["seconds"]["fr"] <= 90 for wave in read["waves"])
    _, answer, _ = run("survey", "check", "pulse.toml", "--format", "csv")
    assert answer.startswith("question_id,dimension,kind,is_reversed,waves,text\nenps,,enps_1_10,false,each,")


def test_a_script_reads_what_is_refused_and_what_is_remarked(run, tmp_path):
    run("survey", "new", "pulse", *DECLARED)
    file = tmp_path / "pulse.toml"
    own = '\n[[questions]]\nid = "a"\nkind = "comment"\n{}text.en = "Are you {}?"\ntext.fr = "Et sinon ?"\n'
    file.write_text(file.read_text("utf-8") + own.format("", "always here"), "utf-8")
    status, answer, _ = run("survey", "check", "pulse.toml", "--format", "json")
    (remark,) = json.loads(answer)["remarks"]
    assert (status, remark["rule"], remark["question"]) == (0, "absolute", "a")
    assert remark["place"] == "pulse.toml: questions[19] (a).text.en"
    assert "“always” is hardly ever quite true" in remark["told"]

    file.write_text(file.read_text("utf-8") + own.format("reversed = 1\n", "ill").replace('"a"', '"b"'), "utf-8")
    status, answer, _ = run("survey", "check", "pulse.toml", "--format", "json")
    read = json.loads(answer)
    assert (status, read["may_open"], len(read["remarks"])) == (1, False, 1)
    assert [(each["rule"], each["place"]) for each in read["faults"]] == [
        ("file", "pulse.toml: questions[20] (b).reversed"), ("health", "pulse.toml: questions[20] (b).text.en"),
    ]  # fmt: skip
    status, answer, _ = run("survey", "check", "none.toml", "--format", "json")
    assert (status, json.loads(answer)["faults"][0]["told"].startswith("There is no file none.toml.")) == (1, True)


def test_a_person_reads_remarks_beside_refusals(run, tmp_path):
    run("survey", "new", "pulse", *DECLARED)
    file = tmp_path / "pulse.toml"
    own = '\n[[questions]]\nid = "a"\nkind = "comment"\ntext.en = "Are you always ill?"\ntext.fr = "Et sinon ?"\n'
    file.write_text(file.read_text("utf-8") + own, "utf-8")
    status, _, complaint = run("survey", "check", "pulse.toml")

    assert status == 1
    assert "“always” is hardly ever" in complaint
    assert "asks about health" in complaint
