"""Comments do not show who is meant: names of the invited, addresses and numbers. What only looks like one stays."""

import time

import pytest

from cadran.book.masking import MASK, cleaned, masked, name_words

NAMES = name_words(["Ann Dupont", "jean-pierre.le-goff@example.com", "Will Petit", "Zoé O'Neil", "Li Wu", "E1042"])
HIDDEN = [
    "Ann Dupont", "ann dupont", "DUPONT", "Jean-Pierre", "zoe", "ZOÉ", "Neil", "Petit", "Will", "Wu", "e1042",
    "ann@example.com", "ann.d+x@mail.example.co.uk", "ann (at) example (dot) com", "ann [arobase] exemple [point] fr",
    "ann arobase exemple point fr", "@ann.d", "https://example.com/in/ann", "www.example.com/ann",
    "06 12 34 56 78", "06.12.34.56.78", "0612345678", "+33 6 12 34 56 78", "+33 (0)6 12 34 56 78", "0033612345678",
    "(555) 123-4567", "555-123-4567", "+1 555 123 4567", "020 7946 0958", "+44 20 7946 0958", "+49 170 1234567",
    "12345678901234",
    "12 bis rue de la République, 75011 Paris", "12, avenue des fleurs", "3 place de la Bastille", "8 allée du Parc",
    "4 chemin vert", "75011 Paris", "221B Baker Street", "10 Long Acre Road", "NW1 6XE", "Springfield, IL 62704",
]  # fmt: skip
KEPT = [
    "a petit bureau that will do", "3 place de parking", "2 cours par semaine", "10 calls a day, 35 h, 4 %",
    "1 000 000 € by 2026-05-12", "12 000 deals, 1,234,567 rows", "<b>less</b> reporting & more selling", "1234567 rows",
    "it is 10 to 1 against", "75002 euros", "la rue est bruyante", "the 3 leads, the 2026-06 wave", "Li is two letters: li",
]  # fmt: skip


@pytest.mark.parametrize("text", HIDDEN)
def test_it_is_hidden_in_a_sentence(text):
    assert masked(f"Yes: {text}; no more.", NAMES) == f"Yes: {MASK}; no more."


@pytest.mark.parametrize("text", KEPT[:-1])
def test_it_is_kept(text):
    assert masked(text, NAMES) == text


def test_two_letters_are_a_name_where_they_are_written_as_one():
    assert masked(KEPT[-1], NAMES) == f"{MASK} is two letters: li"


def test_particles_alone_are_nobody_and_a_mask_is_one_for_a_whole_name():
    assert masked("Le goff et le temps", NAMES) == f"Le {MASK} et le temps"
    assert masked("Ann Dupont-Petit", NAMES) == MASK


def test_what_is_not_seen_is_removed_first():
    assert cleaned("  a\tb\r\nc\x00d\u200be\u202ef\x1b[31m\ud800 ") == "a b\ncdef[31m"
    assert masked(cleaned("an\u200bn@exam\u00adple.com"), NAMES) == MASK
    assert cleaned("<script>alert(1)</script>") == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "text", ["a", "a.", "1 ", "Ab ", "A ", "1 rue ", "+33 ", "a@", "a arobase ", "1 Ab ", "a@b-", "é-"]
)
def test_no_text_takes_long(text):
    begun = time.process_time()
    masked((text * 2000)[:2000], NAMES)

    assert time.process_time() - begun < 0.1
