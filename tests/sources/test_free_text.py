"""Notes and bodies of e-mails are told from names, products and reasons, in both languages."""

from pathlib import Path

import polars as pl
import pytest

from cadran.sources.free_text import looks_free_text

REAL = Path(__file__).parent.parent.parent.parent / "shared" / "data"
EXPORTS = ["maven_crm", "salesforce_export", "hubspot_export"]

NOTES = [
    "Appelé ce matin, il veut revoir le prix avant jeudi",
    "Mme Petit n'est plus là, rappeler son remplaçant",
    "Bon échange, nous renvoyons la proposition lundi",
    "Ils sont en gel de budget jusqu'en mars",
    "Le directeur a dit que c'est trop cher pour eux",
    "Pas de réponse, je relance la semaine prochaine",
    "Elle part en congé maternité, voir avec Paul",
    "On m'a dit qu'il quitte l'entreprise en juin",
    "Vous trouverez ci-joint le contrat signé, merci",
    "Il faut attendre le comité du 12",
    "He is not happy with the last delivery",
    "Spoke to Ann, she will sign after the holidays",
]
REASONS = [
    "Le client a choisi un concurrent qui est moins cher que nous",
    "Le budget n'est pas débloqué avant l'année prochaine",
    "The customer was not able to get the budget approved",
    "Délai de livraison trop long pour le client",
]
NAMES = [
    f"Caisse régionale d'assurance retraite et de la santé au travail {place}"
    for place in ("Auvergne", "Bretagne", "Centre", "Grand Est", "Île-de-France", "Normandie", "Sud-Est", "Nord")
] + [f"Centre Hospitalier Universitaire de {town} - Direction des Achats" for town in "ABCDEFGHIJKL"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (NOTES, True),
        ([*NOTES, *[f"Relance {n}" for n in range(20)]], True),
        ([f"{note} ({n})" for n in range(50) for note in NOTES], True),
        (REASONS * 40, False),  # what a list offers comes back
        ([f"{reason}." for reason in REASONS] * 3, False),  # too few to tell
        (NAMES, False),
        ([f"Contrat de maintenance préventive et curative {n} ans sur site" for n in range(1, 30)], False),
        ([None, None], False),
        ([], False),
    ],
)
def test_tells_texts_from_names_and_reasons(texts, expected):
    assert looks_free_text(pl.Series("column", texts, pl.String)) is expected


def test_different_values_alone_need_to_be_told_how_often_they_repeat():
    reasons = pl.Series([f"The client was not ready for product {n}" for n in range(30)])

    assert not looks_free_text(reasons, repeats=12.0)
    assert looks_free_text(reasons, repeats=1.1)


def test_numbers_and_days_are_no_texts():
    assert not looks_free_text(pl.Series([1, 2]))


@pytest.mark.parametrize("export", EXPORTS)
def test_no_column_of_a_real_export_is_taken_for_free_text(export):
    if not (REAL / export).exists():
        pytest.skip(f"{export}: the real files are not beside this clone")
    found = [
        (path.name, column.name)
        for path in (REAL / export).glob("*.csv")
        for column in pl.read_csv(path, infer_schema=False, encoding="utf8-lossy").iter_columns()
        if looks_free_text(column)
    ]

    assert found == []


def deals(reasons, n=60):
    """A file of lost deals with their reasons."""
    rows = [f'D{i},Acme,Ann,Lost,2024-01-10,2024-03-01,,"{reasons[i % len(reasons)]}"' for i in range(n)]
    return "id,client,rep,stage,created,closed,amount,why\n" + "\n".join(rows) + "\n"


@pytest.fixture
def with_reasons(source):
    """The small source's mapping, with reasons of loss, and what more is said of them."""
    text = (source / "mapping.toml").read_text()

    def mapping(more=""):
        return text.replace("[deals]\n", f'[deals]\nloss_reason = {{ column = "why"{more} }}\n')

    return mapping


def test_a_column_of_remarks_is_refused_at_import_unless_it_names_nobody(take, refused, with_reasons):
    remarks = [f"{note} ({n})" for n in range(5) for note in NOTES]

    said = refused(deals(remarks), with_reasons())

    assert "deals.csv: why holds free text, which never enters a book." in said
    assert 'if its texts name nobody, write personal = "allowed"' in said
    assert take(deals(remarks), with_reasons(', personal = "allowed"')).tables["versions"].height == 120


def test_reasons_out_of_a_list_are_taken(take, with_reasons):
    many = [*REASONS, *(f"Nous n'avons pas la référence {n} au catalogue" for n in range(20))]

    assert take(deals(many, 600), with_reasons()).tables["versions"].height == 1200
