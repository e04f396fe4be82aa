"""An event log as the only source: deals, their versions and their touches, against a plain loop."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from cadran.sources import events
from cadran.sources.rules import LEFT_OUT
from cadran.tables.problems import Problem

LOG = """
taken = 2024-12-31
[files]
deals = "deals.csv"
[events]
file = "deals"
case = "case"
activity = "what"
at = "when"
resource = "who"
stages = { "Create lead" = "Lead", "Send offer" = "Offer" }
touches = { "Call back" = "call", "Mail in" = { kind = "email", direction = "inbound" } }
outcomes = { "Order" = "won", "Refusal" = "lost" }
ignored = ["Autosave"]
"""
TICK = timedelta(microseconds=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def log(take, *rows, mapping=LOG):
    return take("case,what,when,who\n" + "\n".join(rows) + "\n", mapping)


def life(delivered, case="C"):
    own = delivered.tables["versions"].filter(opportunity_id=case).sort("valid_from")
    return own.select("valid_from", "stage", "status", "rep_id").rows()


def test_a_log_that_tells_no_win_says_so(take):
    rows = ["C,Create lead,2024-01-01,Ann", "D,Create lead,2024-01-02,Ann", "D,Refusal,2024-01-03,Ann"]
    silent = LOG.replace('"Order" = "won", ', "").replace('ignored = ["Autosave"]', 'ignored = ["Order"]')

    told = log(take, *rows, mapping=silent).noted
    assert told.select("table", "file", "note", "n", "found").rows() == [
        ("opportunities", "deals.csv", events.NEVER["won"], 2, "Create lead, Send offer"),
    ]
    assert log(take, *rows).noted.is_empty()


def test_a_log_alone_gives_deals_versions_touches_stages_and_sellers(take):
    delivered = log(
        take,
        "C,Create lead,2024-01-01 09:00,Ann", "C,Call back,2024-01-02 10:00,Bob", "C,Send offer,2024-01-03 11:00,",
        "C,Order,2024-01-09 12:00,Bob", "C,Mail in,2024-01-10 08:00,",
    )  # fmt: skip
    tables = delivered.tables
    assert tables["opportunities"].select("opportunity_id", "created_at").rows() == [("C", at("2024-01-01 09:00"))]
    assert life(delivered) == [
        (at("2024-01-01 09:00"), "Lead", "open", "Ann"),
        (at("2024-01-03 11:00"), "Offer", "open", "Ann"),
        (at("2024-01-09 12:00"), "Won", "won", "Bob"),
    ]
    assert tables["activities"].sort("at").select("activity_id", "kind", "direction", "rep_id", "at").rows() == [
        ("C/Call back/2024-01-02T10:00:00", "call", None, "Bob", at("2024-01-02 10:00")),
        ("C/Mail in/2024-01-10T08:00:00", "email", "inbound", None, at("2024-01-10 08:00")),
    ]
    assert tables["stages"].select("stage", "kind").rows() == [
        ("Lead", "open"), ("Offer", "open"), ("Won", "won"), ("Lost", "lost"),
    ]  # fmt: skip
    assert sorted(tables["reps"]["rep_id"]) == ["Ann", "Bob"]
    assert delivered.histories == {"versions"}


def test_a_case_that_begins_with_a_touch_is_created_then_in_the_first_stage(take):
    delivered = log(take, "C,Call back,2024-01-01 09:00,Ann", "C,Send offer,2024-01-05 09:00,Bob")
    assert [row[1:] for row in life(delivered)] == [("Lead", "open", "Ann"), ("Offer", "open", "Bob")]


def test_a_case_that_begins_with_its_outcome_was_open_an_instant_before(take):
    now = at("2024-01-01 09:00")
    assert life(log(take, "C,Order,2024-01-01 09:00,Ann")) == [
        (now, "Lead", "open", "Ann"),
        (now + TICK, "Won", "won", "Ann"),
    ]


def test_events_of_one_moment_are_put_in_the_order_of_the_pipeline(take):
    rows = ["C,Order,2024-01-01,", "C,Call back,2024-01-01,", "C,Send offer,2024-01-01,", "C,Create lead,2024-01-01,"]
    now = at("2024-01-01")
    for turn in range(4):
        found = life(log(take, *rows[turn:], *rows[:turn]))
        assert [row[:2] for row in found] == [(now, "Lead"), (now + TICK, "Offer"), (now + 2 * TICK, "Won")]


def test_after_its_outcome_a_stage_opens_a_deal_again_and_a_repeated_stage_says_nothing(take):
    delivered = log(
        take,
        "C,Create lead,2024-01-01,Ann", "C,Create lead,2024-01-02,Bob", "C,Refusal,2024-01-05,", "C,Call back,2024-01-07,",
        "C,Send offer,2024-01-09,", "C,Order,2024-01-11,", "C,Order,2024-01-12,",
    )  # fmt: skip
    assert [row[1] for row in life(delivered)] == ["Lead", "Lost", "Offer", "Won"]
    assert delivered.tables["activities"].height == 1


def test_what_the_mapping_does_not_know_is_set_aside_with_the_repair(take):
    delivered = log(
        take, "C,Create lead,2024-01-01,", "C,Dance,2024-01-02,", "C,Autosave,2024-01-02,", ",Order,2024-01-02,",
        "C,Order,2025-06-01,", "C,Create lead,2024-01-01,", "C,,2024-01-02,", "C,Order,soon,",
    )  # fmt: skip
    told = dict(delivered.set_aside.select("row", "rule").rows())
    assert told == {
        2: "the mapping says what each activity means",
        4: "`case` is given",
        5: "an event happens before the data was taken",
        6: "the same row is given once",
        7: "`activity` is given",
        8: "`at` is a date",
    }
    log_file = next(file for file in delivered.files if file.table == "events")
    assert (log_file.n_read, log_file.n_accepted, log_file.n_left_out) == (8, 1, 1)
    assert (LEFT_OUT["ignored"], 1, "") in delivered.noted.select("note", "n", "found").rows()
    assert "[events]" in delivered.set_aside.filter(row=2)["repair"].item()


def test_facts_of_a_deal_may_stand_beside_its_events(take):
    mapping = LOG + 'amount = "amount"\nproduct = "product"\n'
    rows = [
        "C,Create lead,2024-01-01,,,X",
        "C,Send offer,2024-01-02,,50,",
        "C,Call back,2024-01-03,,60,",
        "C,Order,2024-01-04,,,",
    ]
    delivered = take("case,what,when,who,amount,product\n" + "\n".join(rows) + "\n", mapping)
    assert delivered.tables["opportunities"]["product"].to_list() == ["X"]
    found = delivered.tables["versions"].sort("valid_from").select("stage", "amount").rows()
    assert found == [("Lead", None), ("Offer", 50.0), ("Offer", 60.0), ("Won", 60.0)]


def test_an_outcome_may_name_a_stage_of_the_mapping(take):
    kinds = {"Lead": "open", "Offer": "open", "Signed": "won", "Gone": "lost"}
    rows = ", ".join(f'{{ stage = "{stage}", kind = "{kind}" }}' for stage, kind in kinds.items())
    stages = f"stages = [{rows}]"
    mapping = LOG.replace("[files]", stages + "\n[files]").replace('"Order" = "won"', '"Order" = "Signed"')
    delivered = log(take, "C,Order,2024-01-01,", "D,Refusal,2024-01-01,", mapping=mapping)
    assert life(delivered)[-1][1:3] == ("Signed", "won")
    assert life(delivered, "D")[-1][1:3] == ("Gone", "lost")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ignored = ["Autosave"]', 'ignored = ["Order"]', "'Order' has two meanings"),
        ('"call"', '"cal"', "touches: Call back: kind cannot be 'cal'"),
        ('direction = "inbound"', 'way = "in"', "there is no key '[events] touches: Mail in: way'"),
        ('activity = "what"\n', "", "[events] lacks activity."),
    ],
)
def test_mistakes_in_the_meanings_are_told(take, old, new, said):
    with pytest.raises(Problem, match=said.replace("[", r"\[")):
        log(take, "C,Order,2024-01-01,", mapping=LOG.replace(old, new))


STAGES = {"Create lead": "Lead", "Send offer": "Offer", "Order": "Won", "Refusal": "Lost"}
ORDER = ["Lead", "Offer", "Won", "Lost"]


def by_hand(rows):
    """Versions and number of touches of each case, one event after the other."""
    versions, touches = [], Counter()
    for case in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == case]
        own.sort(key=lambda r: (r[2], ORDER.index(STAGES[r[1]]) if r[1] in STAGES else 9))
        stage, rep, last, n = None, None, None, 0
        for _, activity, when, who in own:
            new = STAGES.get(activity)
            touches[case] += new is None
            moves = [new] if new else ["Lead"] if stage is None else []
            if stage is None and new in ("Won", "Lost"):
                moves = ["Lead", new]
            rep = who if new or stage is None else rep
            for move in moves:
                if move != stage:
                    n = n + 1 if when == last else 0
                    versions.append((case, when + n * TICK, move, rep))
                    stage, last = move, when
    return versions, touches


def test_against_a_plain_loop(take):
    random = Random(7)
    rows = set()
    for _ in range(500):
        when = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=6 * random.randrange(200))
        activity = random.choice([*STAGES, "Call back", "Mail in", "Create lead"])
        rows.add((f"C{random.randrange(40)}", activity, when))
    rows = [(*row, random.choice(["Ann", "Bob"])) for row in sorted(rows)]
    versions, touches = by_hand(rows)
    random.shuffle(rows)
    delivered = log(take, *(f"{case},{activity},{when:%Y-%m-%d %H:%M:%S},{who}" for case, activity, when, who in rows))
    found = delivered.tables["versions"].sort("opportunity_id", "valid_from")
    assert found.select("opportunity_id", "valid_from", "stage", "rep_id").rows() == versions
    counted = dict(delivered.tables["activities"]["opportunity_id"].value_counts().rows())
    assert counted == {case: n for case, n in touches.items() if n}
