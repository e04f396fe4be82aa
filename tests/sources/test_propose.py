"""Proposed mappings: of files never seen, in English and French, from headers and from contents."""

import random
import tomllib
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from cadran.sources import deliver
from cadran.sources.guess import refusal, stage_kind
from cadran.sources.mapping import load_mapping
from cadran.sources.propose import propose
from cadran.tables.problems import Problem
from cadran.text import words_for

SHARED = Path(__file__).parents[2] / "../shared/data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")


@cache
def proposed(name):
    """The mapping proposed for the real files of a CRM."""
    return propose([SHARED / name])


def delivered(text, folder, tmp_path):
    (tmp_path / "proposed.toml").write_text(text, encoding="utf-8")
    return deliver(load_mapping(tmp_path / "proposed.toml"), folder)


@needs_shared
def test_the_proposal_for_maven_imports_without_an_edit(tmp_path):
    text = proposed("maven_crm")
    taken_in = delivered(text, SHARED / "maven_crm", tmp_path)
    now = taken_in.tables["versions"].filter(pl.col("valid_to").is_null())
    assert dict(now["status"].cast(pl.String).value_counts().iter_rows()) == {"won": 4238, "lost": 2473, "open": 2089}
    assert now["amount"].sum() == 10_005_534
    assert taken_in.set_aside.is_empty()
    by_hand = deliver(load_mapping("maven_crm"), SHARED / "maven_crm")
    assert taken_in.tables["opportunities"].equals(by_hand.tables["opportunities"])
    assert taken_in.tables["versions"].drop("currency").equals(by_hand.tables["versions"].drop("currency"))


@needs_shared
def test_every_guess_says_why():
    guesses = tomllib.loads(text := proposed("maven_crm"))
    fields = [line for line in text.splitlines() if " = " in line and line[0].islower()]
    exempt = ('name = "maven_crm"', "file = ", "sales_teams = ", "accounts = ")
    assert all("# guessed: " in line for line in fields if not line.startswith((*exempt, "stages = "))), text
    assert guesses["deals"]["amount"]["known"] == "at_close"


@needs_shared
@pytest.mark.parametrize("name", ["salesforce_export", "hubspot_export"])
def test_exports_of_common_crms_are_recognised(name):
    text = proposed(name)
    read = tomllib.loads(text)
    expected = {
        "salesforce_export": {
            "stage": "stage_name",
            "closed_at": "close_date",
            "amount": "amount",
            "rep_id": "owner_id",
        },
        "hubspot_export": {
            "stage": "deal_pipeline_stage_id",
            "closed_at": "property_closedate",
            "amount": "property_amount",
            "created_at": "property_createdate",
        },
    }[name]
    assert {field: read["deals"][field] for field in expected} == expected
    assert {"accounts", "reps", "contacts"} <= read.keys()
    used = [line for line in text.splitlines() if not line.startswith(("#", "name = ["))]  # a seller has a name
    assert not any(word in line.split("#")[0] for line in used for word in ("email", "phone", "first_name"))


@needs_shared
def test_the_salesforce_proposal_imports(tmp_path):
    taken_in = delivered(proposed("salesforce_export"), SHARED / "salesforce_export", tmp_path)
    assert taken_in.tables["opportunities"].height > 0
    assert all(f.n_read == f.n_accepted + f.n_left_out + f.n_set_aside for f in taken_in.files)


def french(folder):
    """Two years of invented deals as a French spreadsheet exports them, and the list of its sellers."""
    dice = random.Random(5)
    clients = ["Société Générale d'Été", "Crêperie Anaïs", "Noël & Fils", "Forêt SARL", "Brûlerie Hélène"]
    sellers = ["Zoé Lefèvre", "Loïc Garçon", "Inès Bénard"]
    lines = [
        "N° d'affaire;Raison sociale;Commercial;Étape;Date de création;Date de clôture;Montant HT (€);Origine;Courriel;Commentaires"
    ]
    for n in range(1, 201):
        created = date(2023, 1, 2) + timedelta(days=dice.randrange(600))
        stage = dice.choice(["Gagnée", "Perdue", "Négociation", "Qualification", "Devis envoyé"])
        closed = created + timedelta(days=dice.randrange(90)) if stage in ("Gagnée", "Perdue") else None
        amount = f"{dice.randrange(1, 90)} {dice.randrange(100, 999)},{dice.randrange(10, 99)}"
        cells = [f"A-{n:04d}", dice.choice(clients), dice.choice(sellers), stage, f"{created:%d/%m/%Y}"]
        cells += [
            f"{closed:%d/%m/%Y}" if closed else "",
            amount,
            "Salon",
            f"client{n}@exemple.fr",
            "À rappeler " * 9 + str(n),
        ]
        lines.append(";".join(cells))
    (folder / "Affaires 2024.csv").write_bytes("\r\n".join(lines).encode("cp1252"))
    team = ["Commercial;Équipe;Région;Date d'entrée;Téléphone"]
    team += [f"{seller};Nord;Hauts-de-France;01/09/2019;06 12 34 56 7{n}" for n, seller in enumerate(sellers)]
    (folder / "Commerciaux.csv").write_bytes("\r\n".join(team).encode("cp1252"))


def test_a_french_export_is_understood_without_an_edit(tmp_path):
    french(tmp_path)
    text = propose([tmp_path / "Affaires 2024.csv", tmp_path / "Commerciaux.csv"])
    read = tomllib.loads(text)
    assert [stage["stage"] for stage in read["stages"]] == [
        "Qualification", "Devis envoyé", "Négociation", "Gagnée", "Perdue",
    ]  # fmt: skip
    assert read["currency"] == "EUR"
    assert "Courriel" not in str(read)
    assert '# refused (e-mail addresses): "Courriel"' in text
    assert '# refused (free text): "Commentaires"' in text
    assert '# refused (phone numbers): "Téléphone"' in text

    taken_in = delivered(text, tmp_path, tmp_path)
    lines = (tmp_path / "Affaires 2024.csv").read_bytes().decode("cp1252").splitlines()[1:]
    won = [line.split(";") for line in lines if ";Gagnée;" in line]
    now = taken_in.tables["versions"].filter(pl.col("valid_to").is_null(), pl.col("status") == "won")
    assert taken_in.set_aside.is_empty()
    assert now.height == len(won)
    assert now["amount"].sum() == pytest.approx(sum(float(c[6].replace(" ", "").replace(",", ".")) for c in won))
    assert set(taken_in.tables["reps"]["team"]) == {"Nord"}
    assert taken_in.tables["accounts"].height == 5


def test_columns_without_telling_names_are_told_by_their_contents(tmp_path):
    rows = ["code,x1,x2,close_date"]
    rows += [f"K{n},{'Won' if n % 3 else 'Lost'},2024-0{n % 9 + 1}-10,2024-11-1{n % 9}" for n in range(30)]
    (tmp_path / "export.csv").write_text("\n".join(rows))
    read = tomllib.loads(text := propose([tmp_path]))
    assert read["deals"]["opportunity_id"] == "code"
    assert read["deals"]["stage"] == "x1"
    assert read["deals"]["created_at"] == "x2"
    assert "few values, and some say won and lost" in text
    assert "no two rows have the same value" in text


def test_what_cannot_be_told_is_asked(tmp_path):
    rows = [f"D{n},{'Won' if n % 2 else 'Open'},0{n}/0{n % 3 + 1}/2024,0{n}/05/2024" for n in range(1, 9)]
    (tmp_path / "deals.csv").write_text("deal_id,stage,created,closed\n" + "\n".join(rows))
    text = propose([tmp_path])
    assert "to say: day or month first in" in text
    tomllib.loads(text)


def test_names_of_clients_that_differ_a_little_are_proposed_as_synonyms(tmp_path):
    (tmp_path / "accounts.csv").write_text("account,industry\nMassive Dynamic,tech\nInitech,tech\nHooli,tech\n")
    rows = [
        f"D{n},{client},Won,2024-01-10,2024-02-10"
        for n, client in enumerate(["MassiveDynamic", "Initech", "Hooli", "Umbrella"])
    ]
    (tmp_path / "deals.csv").write_text(
        "deal_id,account,stage,created_date,close_date\n" + "\n".join(rows) + "\nD9,Initech,Lead,2024-01-01,\n"
    )
    read = tomllib.loads(propose([tmp_path]))
    assert read["deals"]["account_id"]["values"] == {"MassiveDynamic": "Massive Dynamic"}
    taken_in = delivered(propose([tmp_path]), tmp_path, tmp_path)
    assert set(taken_in.tables["accounts"]["account_id"]) == {"Massive Dynamic", "Initech", "Hooli", "Umbrella"}


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    french(tmp_path)
    (tmp_path / "broken.parquet").write_bytes(b"no")
    assert "# not read: broken.parquet cannot be opened as Parquet" in propose([tmp_path])


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(Problem, match="no file to look at"):
        propose([tmp_path])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Problem, match="looks like deals"):
        propose([tmp_path])


ABANDONED = """N° affaire;Client;Commercial;Étape;Date de création;Date de clôture prévue;{closed};Montant;{more}
A1;Dupré;Zoé;Gagnée;02/01/2024;31/03/2024;30/03/2024;100;{one}
A2;Dupré;Zoé;Perdue;02/01/2024;31/03/2024;28/03/2024;100;{two}
A3;Noël;Luc;Abandonnée;02/01/2024;31/03/2024;27/03/2024;100;{three}
A4;Noël;Luc;Devis;02/01/2024;31/05/2024;;100;{four}
"""


def of(
    tmp_path, closed="Date de clôture réelle", more="Motif de perte;Secteur", cells=(";BTP", "Prix;BTP", ";BTP", ";")
):
    named = dict(zip(("one", "two", "three", "four"), cells, strict=True))
    (tmp_path / "affaires.csv").write_text(ABANDONED.format(closed=closed, more=more, **named))
    return propose([tmp_path / "affaires.csv"])


@pytest.mark.parametrize(
    "header", ["Date de clôture réelle", "Date de signature", "Date de gain/perte", "Clôturée le", "Date de clôture"]
)
def test_the_french_names_of_a_close_date(tmp_path, header):
    read = tomllib.loads(of(tmp_path, header))
    assert read["deals"]["closed_at"] == header
    assert read["deals"]["expected_close_date"] == "Date de clôture prévue"
    assert read["taken"] == date(2024, 3, 30)


def test_without_a_close_date_the_day_of_the_data_is_not_made_up(tmp_path):
    text = of(tmp_path, "Colonne X")
    assert tomllib.loads(text)["taken"] == "latest date"
    assert "to complete: which column tells when a deal was won or lost?" in text


def test_what_deals_say_of_their_clients_comes_with_them(tmp_path):
    text = of(tmp_path)
    made = tomllib.loads(text)["accounts"]
    assert (made["account_id"], made["name"], made["sector"]) == ("Client", "Client", "Secteur")
    accounts = delivered(text, tmp_path, tmp_path).tables["accounts"].sort("name")
    assert accounts.select("name", "sector").rows() == [("Dupré", "BTP"), ("Noël", "BTP")]


def test_an_account_met_is_called_by_its_value(take):
    assert take().tables["accounts"].sort("account_id")["name"].to_list() == ["Acme", "Initech"]


def test_reasons_and_stages_that_say_no_decision(tmp_path):
    cells = (";", "Pas de réponse;", "Projet annulé;", "Pas de budget;")
    read = tomllib.loads(of(tmp_path, cells=cells))
    assert read["deals"]["loss_reason"]["values"] == {
        "Pas de réponse": "No decision", "Projet annulé": "No decision",
    }  # fmt: skip
    text = of(tmp_path, more="Remarque;Autre")
    taken_in = delivered(text, tmp_path, tmp_path)
    lost = taken_in.tables["versions"].filter(pl.col("status") == "lost").sort("opportunity_id")
    assert lost.select("opportunity_id", "loss_reason").rows() == [("A2", None), ("A3", "No decision")]


def test_rows_marked_as_deleted_are_taken_in_and_end(tmp_path):
    rows = [f"D{n},{'Won' if n % 2 else 'Open'},2024-01-0{n},2024-02-0{n},{{}}" for n in range(1, 9)]
    for marks, expected in ((["Yes", "no"] * 4, "yes"), (["false"] * 8, "true"), (["true"] * 8, "true")):
        lines = [row.format(mark) for row, mark in zip(rows, marks, strict=True)]
        (tmp_path / "deals.csv").write_text("deal_id,stage,created,closed,is_deleted\n" + "\n".join(lines))
        text = propose([tmp_path / "deals.csv"])
        assert tomllib.loads(text)["deals"]["deleted"] == {"is_deleted": [expected]}
        ended = delivered(text, tmp_path, tmp_path).tables["versions"]["end_reason"].drop_nulls()
        assert len(ended) == sum(mark in ("Yes", "true") for mark in marks)


FACTS = "Id,StageName,CreatedDate,CloseDate,Amount,AccountId\n" + "".join(
    f"D{n},{'Closed Won' if n % 2 else 'Offer'},2024-01-0{n},2024-06-0{n},{n},A{n % 3}\n" for n in range(1, 9)
)


def test_dated_rows_and_changed_fields_of_things_that_other_files_hold(tmp_path):
    (tmp_path / "opportunity.csv").write_text(FACTS)
    (tmp_path / "opportunity_history.csv").write_text(
        "Id,_fivetran_start,_fivetran_end,StageName,Amount\n"
        + "".join(f"D{n},2024-01-0{n} 10:00:00,9999-12-31 23:59:59,Offer,{n}\n" for n in range(1, 9))
    )
    (tmp_path / "accounts.csv").write_text("Id,Name\nA0,Zero\nA1,One\nA2,Two\n")
    (tmp_path / "account_field_changes.csv").write_text(
        "AccountId,Field,OldValue,NewValue,CreatedDate\nA0,Industry,Steel,Glass,2024-03-01\n"
        "A1,Name,Uno,One,2024-04-01\nA2,Owner,x,y,2024-04-02\n"
    )
    (tmp_path / "opportunity_field_changes.csv").write_text(
        "OpportunityId,Field,OldValue,NewValue,CreatedDate\nD1,Amount,2,1,2024-03-01\nD2,Amount,1,2,2024-03-01\n"
    )
    text = propose([tmp_path])
    assert "# not used: [versions] tells the past of deals already" in text
    assert '# of = "deals"' in text
    read = tomllib.loads(text)
    assert read["versions"]["valid_from"] == "_fivetran_start"
    assert read["versions"]["valid_to"] == "_fivetran_end"
    (told,) = read["changes"]
    assert (told["of"], told["key"], told["at"], told["old_value"]) == (
        "accounts", "AccountId", "CreatedDate", "OldValue",
    )  # fmt: skip
    assert told["field"] == {"column": "Field", "values": {"Industry": "sector", "Name": "name"}}
    taken_in = delivered(text, tmp_path, tmp_path)
    assert taken_in.histories == {"accounts", "versions"}
    found = taken_in.tables["accounts"].sort("account_id", "valid_from").select("account_id", "name", "sector").rows()
    assert found == [
        ("A0", "Zero", "Steel"), ("A0", "Zero", "Glass"), ("A1", "Uno", None), ("A1", "One", None), ("A2", "Two", None),
    ]  # fmt: skip


def test_an_event_log_alone_is_told(tmp_path):
    events = ["Lead received", "Call back", "Offer sent", "Order won", "Lost to rival"]
    rows = [f"C{c},{e},2024-01-{3 * i + c:02},U{c % 2}" for c in range(1, 6) for i, e in enumerate(events[: 3 + c % 3])]
    (tmp_path / "log.csv").write_text("\n".join(["case_id,activity,timestamp,resource", *rows]) + "\n")
    text = propose([tmp_path / "log.csv"])
    told = tomllib.loads(text)["events"]
    assert told["stages"] == {"Lead received": "Lead received", "Offer sent": "Offer sent"}
    assert told["touches"] == {"Call back": "call"}
    assert told["outcomes"] == {"Order won": "won", "Lost to rival": "lost"}
    taken_in = delivered(text, tmp_path, tmp_path)
    assert taken_in.tables["opportunities"].height == 5
    assert taken_in.tables["activities"].height == 5


def test_what_stands_beside_the_events_of_a_log_is_told_too(tmp_path):
    (folder := tmp_path / "crm" / "2026-03-02").mkdir(parents=True)
    events = ["Lead received", "Quote sent", "Order received"]
    rows = [f"C{c},{e},2026-01-{3 * i + c:02},U{c},Nord,{100 * c},EUR,Acme,2026-03-01,a{c}@b.fr,zz"
            for c in range(1, 6) for i, e in enumerate(events[: 1 + c % 3])]  # fmt: skip
    header = "Case,Activity,Timestamp,Resource,Team,Amount,Currency,Customer,Date prévue,E-mail,Shelf"
    (folder / "log.csv").write_text("\n".join([header, *rows]) + "\n")

    read = tomllib.loads(text := propose([folder]))
    beside = {
        "account_id": "Customer",
        "amount": "Amount",
        "currency": "Currency",
        "expected_close_date": "Date prévue",
    }
    assert {field: read["events"].get(field) for field in beside} == beside
    assert (read["accounts"]["account_id"], read["reps"]["team"], read["name"]) == ("Customer", "Team", "crm")
    assert '# refused (e-mail addresses): "E-mail"' in text
    assert '# not used: "Shelf"' in text
    assert read["events"]["outcomes"] == {"Order received": "won"}
    assert "to complete: no activity looks lost; without one, no deal is ever lost" in text
    taken_in = delivered(text, folder, tmp_path)
    now = taken_in.tables["versions"].filter(pl.col("valid_to").is_null()).sort("opportunity_id")
    assert now["amount"].to_list() == [100.0, 200.0, 300.0, 400.0, 500.0]
    assert now["status"].to_list() == ["open", "won", "open", "open", "won"]
    assert taken_in.tables["opportunities"]["account_id"].unique().to_list() == ["Acme"]
    noted = taken_in.noted.select("n", "note").rows()
    assert [(n, note[:27]) for n, note in noted] == [(5, "a deal that cannot be lost:")]


@pytest.mark.parametrize(
    ("kind", "names"),
    {
        "won": ["Order", "Purchase order", "Order received", "Signed order", "Commande", "Commande reçue", "Won",
                "Bon de commande", "Bon de commande signé", "Prise de commande", "Commande client", "Closed Won"],
        "lost": ["Order cancelled", "Order was cancelled", "Cancelled order", "Commande annulée", "Commande perdue",
                 "Annulation de la commande", "Cancelled", "Annulée", "Order rejected"],
        "open": ["Awaiting order", "Commande en attente", "Attente de commande", "Order pending", "Work order sent",
                 "Meeting cancelled", "Reordering", "Rendez-vous annulé", "Commander", "Border case"],
    }.items(),
)  # fmt: skip
def test_an_order_is_won_unless_it_is_cancelled_or_awaited(kind, names):
    assert [(name, stage_kind(name)) for name in names] == [(name, kind) for name in names]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("crm/2026-03-02", "crm"), ("crm/2026/03/02", "crm"), ("crm/20260302", "crm"), ("crm/export_2026-03-02", "export"),
        ("crm/17", "crm"), ("maven_crm", "maven_crm"), ("Ventes 2025", "Ventes"), ("crm/2026-03", "crm"),
    ],
)  # fmt: skip
def test_a_book_is_not_named_after_a_day(tmp_path, folder, name):
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "deals.csv").write_text(FACTS)
    line = propose([tmp_path / folder]).splitlines()[1]
    assert line.startswith(f'name = "{name}"  # guessed: ')
    assert "keep it" in line


def test_the_short_names_of_an_expected_close_date(tmp_path):
    for header in ("Expected", "Prévue", "Date prévue"):
        (tmp_path / "deals.csv").write_text(FACTS.replace("AccountId", header).replace(",A", ",2024-07-1"))
        read = tomllib.loads(propose([tmp_path]))
        assert (read["deals"]["expected_close_date"], read["deals"]["closed_at"]) == (header, "CloseDate")


def test_a_path_that_is_not_there_and_an_empty_file_are_said(tmp_path):
    with pytest.raises(Problem, match="no file or folder"):
        propose([tmp_path / "nowhere.csv"])
    (tmp_path / "deals.csv").write_text("")
    with pytest.raises(Problem, match=r"deals\.csv is empty"):
        propose([tmp_path / "deals.csv"])


def test_each_sheet_of_a_workbook_is_a_file(tmp_path):
    deals = {
        "Currency": ["USD", "EUR"],
        "Deal ID": ["1", "2"],
        "Account ID": ["A", "B"],
        "Stage": ["Won", "Open"],
        "Amount": ["5", "6"],
    }
    dates = {"Created Date": ["2024-01-01", "2024-01-02"], "Close Date": ["2024-02-01", None]}
    with xlsxwriter.Workbook(str(tmp_path / "crm.xlsx")) as book:
        pl.DataFrame(deals | dates).write_excel(book, "Deals")
        pl.DataFrame({"Account ID": ["A", "B"], "Industry": ["Retail", "Energy"]}).write_excel(book, "Accounts")
    read = tomllib.loads(propose([tmp_path / "crm.xlsx"]))
    assert read["files"] == {name.lower(): {"path": "crm.xlsx", "sheet": name} for name in ("Deals", "Accounts")}
    assert len(read["stages"]) == 2
    assert read["rates"] == {}
    assert (read["deals"]["file"], read["accounts"]["sector"]) == ("deals", "Industry")


def test_a_history_of_changes_feeds_versions(tmp_path):
    midnight = datetime(2024, 1, 1, tzinfo=UTC)
    heads = {"deal_id": ["D1", "D2"], "account": ["A", "B"], "created_on": [midnight] * 2}
    days = [midnight + timedelta(hours=n) for n in (9, 900, 99)]
    changes = {"deal_id": ["D1", "D1", "D2"], "changed_at": days, "stage": ["Lead", "Won", "Lost"], "owner": ["u"] * 3}
    pl.DataFrame(heads).write_parquet(tmp_path / "deals.parquet")
    pl.DataFrame(changes).write_parquet(tmp_path / "stage_history.parquet")
    taken_in = delivered(propose([tmp_path]), tmp_path, tmp_path)
    assert taken_in.set_aside.is_empty()
    assert taken_in.tables["versions"].sort("opportunity_id", "valid_from")["stage"].to_list() == [
        "Lead",
        "Won",
        "Lost",
    ]
    assert taken_in.tables["opportunities"]["account_id"].sort().to_list() == ["A", "B"]


@needs_shared
def test_owners_are_the_sellers_of_hubspot():
    read = tomllib.loads(proposed("hubspot_export"))
    assert (read["reps"]["file"], read["reps"]["rep_id"]) == ("owner_data", "owner_id")


def test_contents_say_what_is_personal():
    assert refusal("is_profile_photo_active", pl.Series(["true", "false"])) is None
    assert refusal("email_encoding_key", pl.Series(["UTF-8"] * 10)) is None
    assert refusal("email", pl.Series(["a1b2==", "c3d4=="])) == "e-mail addresses"
    assert refusal("phone", pl.Series(["5550123456"] * 10)) == "phone numbers"
    assert refusal("code", pl.Series(["a@b.fr"])) == "e-mail addresses"


def test_comments_are_in_the_readers_language(tmp_path):
    french(tmp_path)
    english, said = propose([tmp_path]), propose([tmp_path], words_for("fr"))
    assert tomllib.loads(said) == tomllib.loads(english)
    assert "l'en-tête le dit" in said
    assert "guessed" not in said
