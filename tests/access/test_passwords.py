"""Passwords are held to what keeps them from being guessed, and kept as a hash that another library reads."""

from hashlib import sha1

import pytest
from argon2 import extract_parameters, low_level

from cadran.access.passwords import SHORTEST, check_password, hashed, is_old, is_right, new_password
from cadran.tables.problems import Problem

GOOD = "violet marble tractor seven"


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "has 5 letters"),
        ("x" * 257, "has 257 letters"),
        ("Password12345", "easy to guess"),
        ("ana@example.com1", "easy to guess"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
    ],
)
def test_what_is_easy_to_guess_is_refused(password, said):
    with pytest.raises(Problem, match=said):
        check_password(password, ["ana@example.com"])


def test_words_that_do_not_belong_together_and_what_is_made_up_will_do():
    check_password(GOOD)
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        check_password(each)


def test_of_a_list_every_password_is_found_and_no_other(tmp_path):
    stolen = [f"stolen password {n}" for n in range(200)]
    known = tmp_path / "known.txt"
    lines = sorted(sha1(each.encode()).hexdigest().upper() for each in stolen)
    known.write_text("".join(f"{line}:{n}\r\n" for n, line in enumerate(lines)), "ascii")

    for each in stolen:
        with pytest.raises(Problem, match="stolen elsewhere"):
            check_password(each, known=known)
    for n in range(200, 400):
        check_password(f"stolen password {n}", known=known)
    with pytest.raises(Problem, match=r"gone\.txt cannot be read"):
        check_password(GOOD, known=tmp_path / "gone.txt")


def test_an_empty_list_holds_nothing(tmp_path):
    (tmp_path / "known.txt").touch()

    check_password(GOOD, known=tmp_path / "known.txt")


def test_what_is_kept_is_argon2id_and_tells_the_right_password_alone():
    kept = hashed(GOOD)

    assert low_level.verify_secret(kept.encode(), GOOD.encode(), low_level.Type.ID)
    assert extract_parameters(kept).memory_cost >= 19 * 1024  # OWASP's least
    assert (is_right(kept, GOOD), is_right(kept, GOOD + "x"), is_right(None, GOOD), is_right("nonsense", GOOD)) == (
        True, False, False, False,
    )  # fmt: skip
    assert kept != hashed(GOOD)
    assert not is_old(kept)
    assert SHORTEST >= 12
