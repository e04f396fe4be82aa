"""What groups of a provider grant."""

import pytest

from cadran.access.groups import Grant, granted, read_groups
from cadran.access.guests import NotLetIn
from cadran.book import open_book
from cadran.tables.problems import Faults

NORTH, LILLE = Grant("manager", frozenset({"Nord"})), Grant("manager", frozenset(), frozenset({"Lille"}))
GRANTS = {
    "n": NORTH,
    "l": LILLE,
    "all": Grant("manager"),
    "a": Grant("analyst"),
    "p": Grant("people", frozenset({"Nord"})),
}


@pytest.mark.parametrize(
    ("groups", "grant"),
    [
        ([], None),
        (["staff"], None),
        (["staff", "n"], NORTH),
        (["n", "l", "n"], Grant("manager", frozenset({"Nord"}), frozenset({"Lille"}))),
        (["n", "all"], Grant("manager")),
        (["p"], Grant("people", frozenset({"Nord"}))),
    ],
)
def test_groups_grant_together_what_each_does(groups, grant):
    assert granted(groups, GRANTS) == grant


@pytest.mark.parametrize("groups", [["n", "a"], ["a", "staff", "p"]])
def test_nobody_gets_the_role_of_one_group_for_the_scope_of_another(groups):
    with pytest.raises(NotLetIn, match="several roles"):
        granted(groups, GRANTS)


def test_they_are_read_with_the_books_regions_and_teams(tmp_path, small_company):
    file = tmp_path / "cadran.toml"
    file.write_text(
        '[serve]\nport = 1\n[groups."/sales/north"]\nrole = "manager"\nregions = ["Nord"]\n'
        '[groups.board]\nrole = "manager"\ncompany = true\n[groups.hr]\nrole = "people"\n',
        "utf-8",
    )

    assert read_groups(file, open_book(small_company)) == {
        "/sales/north": NORTH, "board": Grant("manager"), "hr": Grant("people"),
    }  # fmt: skip


def test_everything_that_is_wrong_is_told_with_its_key(tmp_path, small_company):
    file = tmp_path / "cadran.toml"
    file.write_text(
        '[groups.a]\nrole = "king"\n[groups.b]\nrole = "manager"\n[groups.c]\nrole = "manager"\nregions = ["Nrod"]\n'
        '[groups.d]\nrole = "analyst"\ncompany = true\nteams = ["Lille"]\n[groups.e]\nregion = ["Nord"]\n',
        "utf-8",
    )
    with pytest.raises(Faults) as found:
        read_groups(file, open_book(small_company))

    told = str(found.value)
    for said in (
        "groups.a.role: king is unknown here", "groups.b.role: The role manager needs a scope.",
        "groups.c.regions: Nrod is unknown",
        "groups.d.company: The scope is said twice", "groups.e.role: It is missing", "groups.e.region: This is no key",
    ):  # fmt: skip
        assert said in told
