"""Who is invited, from the file a personnel system writes; what cannot be invited is told with its line."""

import pytest

from cadran.sources.invited import read_invited
from cadran.tables.problems import Problem


def read(tmp_path, text, cuts=("region", "team"), encoding="utf-8"):
    (tmp_path / "people.csv").write_bytes(text.encode(encoding))
    return read_invited(tmp_path / "people.csv", cuts)


def test_a_french_export_is_read_as_it_is(tmp_path):
    text = "Matricule;Prénom;Nom;Équipe;Région;Langue\nE1;Zoé;Le Goff; Nord 1 ;Nord;fr\nE2;;Petit;;Nord;\n"
    invited = read(tmp_path, text, encoding="cp1252")

    assert invited.problems == []
    assert invited.rows.select("person", "name", "region", "team", "language").rows() == [
        ("E1", "Zoé Le Goff", "Nord", "Nord 1", "fr"),
        ("E2", "Petit", "Nord", None, None),
    ]


@pytest.mark.parametrize("header", ["Personne", "Courriel", "Identifiant"])
def test_a_person_is_found_by_its_french_names(tmp_path, header):
    assert read(tmp_path, f"{header}\nE1\n", ()).rows["person"].to_list() == ["E1"]


def test_rows_that_invite_nobody_or_somebody_again_are_told_and_set_aside(tmp_path):
    text = "email,region,team\na@x.com,N,T\n,N,T\nA@X.com ,N,T\nb@x.com,N\nc@x.com,,\n"
    invited = read(tmp_path, text)

    assert invited.rows["person"].to_list() == ["a@x.com", "c@x.com"]
    assert [str(problem).split("\n")[0] for problem in invited.problems] == [
        "people.csv, line 3: no person stands there.",
        "people.csv, line 4: A@X.com stands in line 2 already.",
        "people.csv, line 5: it has more or fewer cells than the header.",
    ]


@pytest.mark.parametrize("header", ["email,region", "region,team"])
def test_a_column_that_is_needed_is_asked_for(tmp_path, header):
    with pytest.raises(Problem, match=r"people\.csv has no column (team|person)\."):
        read(tmp_path, f"{header}\na,b\n")


def test_what_is_not_asked_for_is_not_read(tmp_path):
    assert read(tmp_path, "id,region,salary,birth\nE1,N,1,2\n", ("region",)).rows.columns == ["person", "region"]
