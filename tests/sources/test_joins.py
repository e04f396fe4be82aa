"""A column that stands in another file, or behind it in a third: found by key; and what was not found is noted."""

from pathlib import Path

import pytest

from cadran.sources.lookups import NOWHERE, SEVERAL

MAPPING = (Path(__file__).parent / "small" / "mapping.toml").read_text()
FILES = '[files]\nmembers = "members.csv"\nteams = "teams.csv"\n'
TEAM = 'team = { column = "name", from = ["members", "teams"], on = ["rep", { team = "id" }] }\n'
MEMBERS = "rep,team,is_primary\nAnn,7,yes\nBob,8,no\nBob, 7 ,YES\nCleo,9,yes\nDan,8,no\n"
TEAMS = "id,name\n7,North\n8,South\n"
KEPT = ', unknown = "keep as null"'
PRIMARY = ', only = { is_primary = "yes" }'


@pytest.fixture
def teams(source, take):
    """The teams of four sellers, their teams joined over two files; and what was noted."""

    def taken(more, members=MEMBERS, teams=TEAMS):
        (source / "reps.csv").write_text("rep\nAnn\nBob\nCleo\nDan\nEve\n")
        (source / "members.csv").write_text(members)
        if teams:
            (source / "teams.csv").write_text(teams)
        mapping = MAPPING.replace("[files]\n", FILES).replace('team = "team"\n', TEAM.replace("] }\n", f"]{more} }}\n"))
        mapping = mapping.replace('"teams.csv"', '{ path = "teams.csv", optional = true }')
        found = take(None, mapping)
        return dict(found.tables["reps"].select("rep_id", "team").rows()), found.noted.select(
            "note", "n", "found"
        ).rows()

    return taken


NOT_FOUND, DIFFER = NOWHERE.format(field="team"), SEVERAL.format(field="team")


def test_a_name_behind_two_files_and_the_keys_that_lead_nowhere(teams):
    found, noted = teams(KEPT)
    assert found == {"Ann": "North", "Bob": None, "Cleo": None, "Dan": "South", "Eve": None}
    assert sorted(noted) == [(NOT_FOUND, 2, "Cleo, Eve"), (DIFFER, 1, "Bob")]


def test_only_some_rows_of_the_first_file_may_count(teams):
    found, noted = teams(KEPT + PRIMARY)
    assert found == {"Ann": "North", "Bob": "North", "Cleo": None, "Dan": None, "Eve": None}
    assert noted == [(NOT_FOUND, 3, "Cleo, Dan, Eve")]


def test_two_rows_that_lead_to_the_same_are_no_contradiction(teams):
    found, _ = teams(KEPT, teams="id,name\n7,North\n8,North\n")
    assert found["Bob"] == "North"


def test_one_key_that_leads_to_several_things_is_refused_unless_they_may_be_null(teams):
    with pytest.raises(Exception, match=r"members.csv: rep 'Bob' stands on several rows that differ"):
        teams("")


def test_without_its_last_file_a_join_brings_nothing_and_says_nothing(teams):
    found, noted = teams(KEPT, teams=None)
    assert set(found.values()) == {None}
    assert noted == []


def test_a_join_that_finds_nothing_names_every_file(teams):
    with pytest.raises(Exception, match=r"no rep of reps.csv is found as rep → id in members.csv → teams.csv"):
        teams("", members="rep,team,is_primary\nZoe,7,yes\n")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("] }\n", '], only = { primary = "yes" } }\n', "members.csv has no column 'primary'"),
        ('["rep", { team = "id" }]', '"rep"', "each file of `from` is joined by one of `on`"),
        ('{ team = "id" }', "3", "on cannot be 3"),
        ('{ team = "id" }', '{ teem = "id" }', "members.csv has no column 'teem'"),
        ('"teams"]', '"tems"]', "Did you mean 'teams'?"),
        (
            ', from = ["members", "teams"], on = ["rep", { team = "id" }]',
            ', only = { a = "b" }',
            "`only` is for a join",
        ),
    ],
)
def test_mistakes_in_a_join_are_told(source, refused, right, wrong, said):
    (source / "members.csv").write_text(MEMBERS)
    (source / "teams.csv").write_text(TEAMS)
    mapping = MAPPING.replace("[files]\n", FILES).replace('team = "team"\n', TEAM.replace(right, wrong))
    assert said in refused(None, mapping)


def test_a_join_may_go_by_address_which_is_never_kept(source, take):
    (source / "deals.csv").write_text(
        "id,client,rep,stage,created,closed,amount,mail\nD1,Acme,Ann,Offer,2024-01-10,,1,ann@acme.test\n"
        "D2,Acme,Ann,Offer,2024-01-10,,2,zoe@acme.test\nD3,Acme,Zoe,Offer,2024-01-10,,3,zoe@acme.test\n"
        "D4,Acme,Ann,Offer,2024-01-10,,4,06 12 34 56 78\nD5,Acme,Ann,Offer,2024-01-10,,5,4711\n"
    )
    (source / "members.csv").write_text("mail,channel\nann@acme.test,Web\n")
    mapping = MAPPING.replace("[files]\n", '[files]\nmembers = "members.csv"\n')
    found = take(None, mapping + 'lead_source = { column = "channel", from = "members", on = "mail" }\n')
    assert found.noted.select("note", "n", "found").rows() == [(NOWHERE.format(field="lead_source"), 4, "4711")]
    assert found.set_aside["id"].to_list() == ["D3"]
    kept = str(found.set_aside.rows()) + str({name: table.rows() for name, table in found.tables.items()})
    assert "acme.test" not in kept
    assert "06 12" not in kept
