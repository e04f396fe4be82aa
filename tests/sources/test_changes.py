"""Field histories made into versions, against a plain loop; and what dated rows become."""

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl

from cadran.sources.changes import states
from cadran.sources.rules import BROKEN

T0 = datetime(2024, 1, 1, tzinfo=UTC)
UNTIL = datetime(2024, 12, 31, tzinfo=UTC)
NOTHING_WRONG = pl.DataFrame(schema=BROKEN)
SCHEMA = {
    "@id": pl.Int64, "key": pl.String, "at": pl.Datetime("us", "UTC"), "field": pl.String, "value": pl.String,
    "old_value": pl.String, "stage": pl.String, "@old_stage": pl.String, "amount": pl.Float64, "@old_amount": pl.Float64,
}  # fmt: skip


def day(n):
    return T0 + timedelta(days=n)


def change(i, key, at, field, value, old=None):
    typed = {"stage": value, "@old_stage": old} if field == "stage" else {}
    number = {"amount": value and float(value), "@old_amount": old and float(old)} if field == "amount" else {}
    return {"@id": i, "key": key, "at": at, "field": field, "value": value, "old_value": old, **typed, **number}


def frame(rows):
    return pl.DataFrame(rows, schema=SCHEMA)


def begins(rows):
    schema = {"key": pl.String, "begin": pl.Datetime("us", "UTC"), "amount": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def told(rows, since=(), until=UNTIL):
    made = states(frame(rows), begins(list(since)), NOTHING_WRONG, until)
    return made.rows.sort("key", "valid_from").select("key", "valid_from", "stage", "amount").rows(), made.wrong


def test_what_was_before_the_first_change_is_its_old_value():
    rows = [change(1, "D", day(5), "stage", "Offer", "Lead"), change(2, "D", day(9), "amount", "20", "10")]
    found, _ = told(rows, [("D", day(0), None)])
    assert found == [
        ("D", day(0), "Lead", 10.0),
        ("D", day(5), "Offer", 10.0),
        ("D", day(9), "Offer", 20.0),
    ]


def test_what_was_before_is_unknown_where_the_source_does_not_say():
    found, _ = told([change(1, "D", day(5), "stage", "Offer")], [("D", day(0), 7.0)])
    assert found == [("D", day(0), None, 7.0), ("D", day(5), "Offer", 7.0)]


def test_a_thing_whose_beginning_is_not_known_begins_at_its_first_change():
    found, _ = told([change(1, "D", day(5), "stage", "Offer", "Lead"), change(2, "D", day(6), "amount", "2", "1")])
    assert found == [("D", day(5), "Offer", 1.0), ("D", day(6), "Offer", 2.0)]


def test_a_change_from_before_the_beginning_holds_since_the_beginning():
    rows = [change(1, "D", day(1), "stage", "Offer", "Lead"), change(2, "D", day(2), "stage", "Demo", "Offer")]
    assert told(rows, [("D", day(4), None)])[0] == [("D", day(4), "Demo", None)]


def test_a_field_may_be_cleared():
    rows = [change(1, "D", day(1), "amount", "5"), change(2, "D", day(2), "amount", None, "5")]
    assert told(rows)[0] == [("D", day(1), None, 5.0), ("D", day(2), None, None)]


def test_several_values_at_one_moment_are_put_in_the_order_their_old_values_tell():
    rows = [change(1, "D", day(3), "stage", "Demo", "Offer"), change(2, "D", day(3), "stage", "Offer", "Lead")]
    found, wrong = told(rows, [("D", day(0), None)])
    assert found == [("D", day(0), "Lead", None), ("D", day(3), "Demo", None)]
    assert wrong.is_empty()


def test_several_values_at_one_moment_that_tell_no_order_are_set_aside():
    rows = [
        change(1, "D", day(3), "stage", "Demo"),
        change(2, "D", day(3), "stage", "Offer"),
        change(3, "E", day(1), "stage", "X"),
    ]
    found, wrong = told(rows)
    assert [key for key, *_ in found] == ["E"]
    assert sorted(wrong.rows()) == [(1, "value,old_value", "several"), (2, "value,old_value", "several")]


def test_a_change_after_the_data_was_taken_is_set_aside():
    found, wrong = told([change(1, "D", day(400), "stage", "Demo")])
    assert (found, wrong.rows()) == ([], [(1, "at", "changed_later")])


def by_hand(rows, since):
    """The same, one change after the other."""
    found = []
    for key in sorted({row["key"] for row in rows}):
        own = sorted((r for r in rows if r["key"] == key), key=lambda r: (r["at"], r["@id"]))
        begin, amount = next(((b, a) for k, b, a in since if k == key), (None, None))
        state = {"stage": None, "amount": amount}
        for name in ("stage", "amount"):
            first = next((r for r in own if r["field"] == name), None)
            state[name] = first[f"@old_{name}"] if first else state[name]
        lived = [] if begin is None else [(begin, dict(state))]
        for row in own:
            state[row["field"]] = row[row["field"]]
            lived.append((max(row["at"], begin) if begin else row["at"], dict(state)))
        last = dict(lived)
        before = None
        for at in sorted(last):
            if last[at] != before:
                found.append((key, at, last[at]["stage"], last[at]["amount"]))
            before = last[at]
    return found


def test_against_a_plain_loop():
    for seed in range(20):
        random = Random(seed)
        rows, state, taken = [], {}, set()
        for i in range(300):
            key, field, at = f"D{random.randrange(12)}", random.choice(["stage", "amount"]), day(random.randrange(300))
            if (key, field, at) in taken:
                continue
            taken.add((key, field, at))
            rows.append((key, field, at, random.choice("ABCD") if field == "stage" else str(random.randrange(4)), i))
        changes = []
        for key, field, at, value, i in sorted(rows, key=lambda r: (r[2], r[4])):
            changes.append(change(i, key, at, field, value, state.get((key, field)) if random.random() < 0.8 else None))
            state[key, field] = value
        since = [(f"D{i}", day(random.randrange(100)), random.choice([None, 3.0])) for i in range(6)]
        random.shuffle(changes)
        assert told(changes, since)[0] == by_hand(changes, since), seed
