"""Stages that only a history or a file names: their kind is what is told of them, else their name's, else open; and noted."""

from pathlib import Path

import pytest

from cadran.sources.stages import AS_OPEN, BY_NAME, _kind

MAPPING = (Path(__file__).parent / "small" / "mapping.toml").read_text()
LOG = """
[[changes]]
of = "deals"
file = "log"
key = "deal"
at = "on"
field = { constant = "stage" }
value = "to"
"""
FROM_LOG = '[[stages]]\nfile = "log"\nfrom_values = true\nstage = "to"\n'
MOVES = """deal,on,to,closed
D1,2024-02-01,Archive,
D1,2024-03-01,Closed Won - direct,
D2,2024-02-20,Lost,
D3,2024-11-06,Waiting room,
D3,2024-11-07,Offer,
"""


KINDS = {"Lead": "open", "Offer": "open", "Won": "won", "Lost": "lost"}
LISTED = "".join(f'[[stages]]\nstage = "{stage}"\nkind = "{kind}"\n' for stage, kind in KINDS.items())
HEAD, REST = MAPPING[: MAPPING.index("stages = [")], MAPPING[MAPPING.index("[files]") :]
WHOLE = HEAD + REST.replace("[files]\n", '[files]\nlog = "log.csv"\n') + LISTED + FROM_LOG + LOG


def test_a_stage_that_only_history_names_is_what_its_name_says_else_open_and_is_noted(source, take):
    (source / "log.csv").write_text(MOVES)
    deals = (source / "deals.csv").read_text().replace("Ann,Won", "Ann,Closed Won - direct")
    found = take(deals, WHOLE)
    lives = (
        found.tables["versions"].sort("opportunity_id", "valid_from").group_by("opportunity_id", maintain_order=True)
    )
    assert {key: frame["status"].to_list() for (key,), frame in lives} == {
        "D1": ["open", "open", "won"],
        "D2": ["open", "lost"],
        "D3": ["open", "open", "open", "open"],
        "D4": ["open"],
    }
    assert sorted(found.noted.filter(table="opportunities").select("note", "n", "found").rows()) == [
        (BY_NAME, 1, "Closed Won - direct"),
        (AS_OPEN, 2, "Archive, Waiting room"),
    ]
    kinds = dict(found.tables["stages"].select("stage", "kind").rows())
    assert (kinds["Archive"], kinds["Closed Won - direct"]) == ("open", "won")


def test_what_a_file_or_the_mapping_tells_of_a_stage_needs_no_remark(source, take):
    moves = MOVES.replace("direct,", "direct,no").replace("Archive,", "Archive,yes")
    (source / "log.csv").write_text(moves)
    told = WHOLE.replace('stage = "to"\n', 'stage = "to"\nis_closed = "closed"\n', 1)
    told += '[[stages]]\nstage = "Waiting room"\nkind = "open"\n'
    found = take(None, told)
    kinds = dict(found.tables["stages"].select("stage", "kind").rows())
    assert (kinds["Archive"], kinds["Closed Won - direct"]) == ("lost", "open")  # what is told prevails over the name
    assert not {AS_OPEN, BY_NAME} & {*found.noted["note"]}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("closedwon", "won"), ("Closed Won", "won"), ("ClosedWon - renewal", "won"), ("Gagnée", "won"),
        ("closedlost", "lost"), ("Affaire perdue", "lost"), ("Lost (no budget)", "lost"), ("Clôturée perdue", "lost"),
        ("Disqualified", "disqualified"), ("Non qualifié", "disqualified"),
        ("À signer", "open"), ("Bon de commande", "open"), ("Not won yet", "open"), ("Wonder", "open"), ("", "open"),
    ],
)  # fmt: skip
def test_only_a_clear_name_is_taken_at_its_word(name, kind):
    assert _kind(name) == kind
