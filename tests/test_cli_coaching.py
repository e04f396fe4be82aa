"""`cadran plan coaching` on the sample, in both languages, and what it refuses."""

import json

import pytest

from cadran.models import coaching


@pytest.fixture(autouse=True)
def no_model(monkeypatch):
    """The sample's win model takes a minute to learn."""
    monkeypatch.setattr(coaching, "chances", lambda book: None)


def test_coaching_is_told_in_words_and_as_data(run, monkeypatch):
    told = json.loads(run("plan", "coaching", "--by", "region", "--format", "json")[1])
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    status, out, _ = run("plan", "coaching", "--by", "region")

    assert status == 0
    assert {row["region"] for row in told["funnel"]} == {
        "Grand Ouest",
        "International",
        "Nord",
        "Sud-Est",
        "Île-de-France",
    }
    # The region that was trained, and whose sellers the sample makes no better otherwise.
    overall = {row["region"]: row for row in told["funnel"] if row["stage"] is None}
    assert overall["Île-de-France"]["ratio"] == max(row["ratio"] for row in overall.values())
    assert "closed deals alone" in told["notes"][0]
    assert "Avancées, à côté d'affaires semblables" in out.replace("’", "'")
    assert "De la création à la signature" in out
    assert "ce n'est pas un classement" in out.replace("’", "'")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("--by", "rep"), "Rates of a named person are closed"),
        (("--part", "table"), "Coaching has no part table"),
        (("--format", "csv"), "CSV holds one table"),
    ],
)
def test_what_cannot_be_had_is_said(run, asked, why):
    status, _, err = run("plan", "coaching", *asked)

    assert (status, why in err) == (1, True)
