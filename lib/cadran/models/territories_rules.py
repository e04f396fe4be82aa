"""The rules of territories, as a person writes them in TOML, held to the book and to each other."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from cadran.models.territories_book import MEASURES, Portfolio
from cadran.tables.toml_file import Section, read_toml

#: The file of a book's folder of plans.
FILE = "territories.toml"


@dataclass(frozen=True)
class Seller:
    """What the rules say of one seller; nothing: as the book has it.

    Attributes:
        share: Of a full presence, 0 to 1.
        languages: What the seller speaks; None: not said.
        leaves: The day from which all accounts must be with others.
        joins: The day from which somebody new counts; the region is then that of the rules.
    """

    share: float = 1.0
    languages: tuple[str, ...] | None = None
    leaves: date | None = None
    joins: date | None = None
    region: str | None = None


@dataclass(frozen=True)
class Rules:
    """What a sharing out must respect.

    Attributes:
        measure: What is shared out evenly, one of `MEASURES`.
        tolerance: Half the width of the band, as a share of the mean.
        is_region_fixed: Whether accounts stay in the region of their seller.
        groups: Region to group of regions among which accounts may move, and whose sellers share one mean.
        locked: Accounts that stay with their seller.
        apart: Accounts that stay, and count for nothing.
        is_large_apart: Whether those larger than anybody's band are apart too.
        named: Account to the seller who gets it.
        languages: Country to the languages of which a seller must speak one.
        spoken: What sellers speak of whom nothing is said; empty: all.
        teams: Seller to what the team speaks.
        sellers: By `rep_id`.
    """

    measure: str = "open_deals"
    tolerance: float = 0.1
    is_region_fixed: bool = True
    groups: Mapping[str, str] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    is_large_apart: bool = False
    named: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spoken: tuple[str, ...] = ()
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sellers: Mapping[str, Seller] = field(default_factory=dict)

    def speaks(self, rep_id: str) -> tuple[str, ...] | None:
        """What a seller speaks: as said of the seller, the team, or all. None: everything, as nothing is said."""
        said = self.sellers.get(rep_id, Seller()).languages
        return said if said is not None else self.teams.get(rep_id, self.spoken or None)

    def among(self, found: Portfolio) -> "Rules":
        """The rules of the accounts and sellers of a portfolio, a part of that which they were read for. An account named
        to somebody outside it is apart."""
        accounts, reps, regions = (
            set(each) for each in (found.accounts["account_id"], found.reps["rep_id"], found.reps["region"])
        )
        sellers = {
            rep_id: each for rep_id, each in self.sellers.items()
            if rep_id in reps or (each.joins and each.region in regions)
        }  # fmt: skip
        named = {account: rep_id for account, rep_id in self.named.items() if account in accounts}
        leaving = {account for account, rep_id in named.items() if rep_id not in reps | set(sellers)}
        return replace(
            self, locked=(self.locked & accounts) - leaving, apart=(self.apart & accounts) | leaving, sellers=sellers,
            named={account: rep_id for account, rep_id in named.items() if account not in leaving},
            teams={rep_id: spoken for rep_id, spoken in self.teams.items() if rep_id in reps},
        )  # fmt: skip


def read_rules(path: Path, found: Portfolio) -> Rules:
    """The rules of a file.

    Args:
        path: Of the TOML file.
        found: The accounts and sellers they are about.

    Raises:
        Problem: If there is no such file, it is no TOML, or anything in it is unknown to the book or against another
            rule: all that is wrong, together.
    """
    plan = read_toml(path)
    main = found.accounts.filter(~found.accounts["is_part"])
    owner = dict(main.select("account_id", "rep_id").iter_rows())
    country = dict(main.select("account_id", "country").iter_rows())
    regions = sorted({region for region in found.reps["region"] if region is not None})
    sellers = _sellers(plan.section("reps"), found.reps["rep_id"].to_list(), regions)
    staff = [*found.reps["rep_id"], *(each for each, seller in sellers.items() if seller.joins)]
    told = plan.section("regions")
    rules = Rules(
        plan.text("measure", Rules.measure, MEASURES), _tolerance(plan), told.flag("fixed", True),
        _groups(told.section("groups"), regions), _accounts(plan, "locked", owner), _accounts(plan, "apart", owner),
        plan.flag("large_apart", False),
        _named(plan.section("named"), owner, staff),
        _languages(plan.section("languages"), {each for each in country.values() if each is not None}),
        tuple(plan.texts("spoken")), _teams(plan.section("teams"), found), sellers,
    )  # fmt: skip
    told.close()
    _contradictions(plan, rules, owner, country)
    plan.close()
    plan.check()
    return rules


def _tolerance(plan: Section) -> float:
    tolerance = plan.number("tolerance", Rules.tolerance)
    if 0 < tolerance < 1:
        return tolerance
    plan.fault(
        "{value} is no tolerance.", "Write a share above 0 and below 1: 0.1 is ± 10%.", "tolerance", value=tolerance
    )
    return Rules.tolerance


def _accounts(plan: Section, key: str, known: Collection[str]) -> frozenset[str]:
    told = plan.texts(key, list(known))
    for each in sorted(each for each, n in Counter(told).items() if n > 1):
        plan.fault("{account} is there twice.", "Write it once.", key, account=each)
    return frozenset(told)


def _named(section: Section, known: Collection[str], staff: list[str]) -> dict[str, str]:
    named = {}
    for account in section.values:
        rep_id = section.text(account, None, staff)
        if account not in known:
            section.fault(
                "The book knows no such account.", "Write an identifier of an account that ever had a deal.", account
            )
        elif rep_id:
            named[account] = rep_id
    return named


def _languages(section: Section, countries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    told = {}
    for country in section.values:
        told[country] = tuple(section.texts(country))
        if section.values[country] == []:
            section.fault("No language is named.", 'Write one, as ["en"], or take the line out.', country)
        if country not in countries:
            section.fault("No account is in this country.", "Write one of: {names}.", country,
                          names=", ".join(sorted(countries)[:12]))  # fmt: skip
    return told


def _teams(section: Section, found: Portfolio) -> dict[str, tuple[str, ...]]:
    """What each seller of the teams that are named speaks."""
    told: dict[str, tuple[str, ...]] = {}
    members = dict(found.reps.drop_nulls("team").group_by("team").agg("rep_id").iter_rows())
    for name in section.values:
        part = section.section(name)
        spoken = tuple(part.texts("languages"))
        if not part.values.get("languages", []):
            part.fault("No language is named.", 'Write one, as ["en"], or take the line out.', "languages")
        part.close()
        if name not in members:
            section.fault("There is no such team.", "Write one of: {names}.", name, names=", ".join(sorted(members)))
        told |= dict.fromkeys(members.get(name, []), spoken)
    return told


def _groups(section: Section, regions: list[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name in section.values:
        for region in section.texts(name, regions):
            if region in told:
                section.fault(
                    "{region} is in {other} too.", "Write each region once.", name, region=region, other=told[region]
                )
            told[region] = name
    return told


def _sellers(section: Section, known: list[str], regions: list[str]) -> dict[str, Seller]:
    told = {}
    for rep_id in section.values:
        part = section.section(rep_id)
        seller = Seller(
            part.number("share", 1.0, 0.0, 1.0),
            tuple(part.texts("languages")) if part.has("languages") else None,
            part.day("leaves") if part.has("leaves") else None,
            part.day("joins") if part.has("joins") else None,
            part.text("region", None, regions) if part.has("region") else None,
        )
        if rep_id not in known and not seller.joins:
            section.fault("No seller of that identifier is present.", "Correct it, or write the day as `joins` for somebody new.",
                          rep_id)  # fmt: skip
        elif rep_id in known and (seller.joins or seller.region):
            part.fault("The book has this seller, and the region, already.", "Remove `joins` and `region`.", "joins")
        elif seller.joins and regions and not part.has("region"):
            part.fault(
                "Where somebody new will sell is not said.",
                "Write one of: {names}.",
                "region",
                names=", ".join(regions),
            )
        if seller.joins and seller.leaves:
            part.fault("Nobody joins and leaves in one plan.", "Keep one of the two.", "leaves")
        part.close()
        told[rep_id] = seller
    return told


def _contradictions(
    plan: Section, rules: Rules, owner: Mapping[str, str | None], country: Mapping[str, str | None]
) -> None:
    gone = {rep_id for rep_id, seller in rules.sellers.items() if seller.leaves}
    for account in sorted(rules.locked | rules.apart):
        key = "locked" if account in rules.locked else "apart"
        rep_id = owner[account]
        if rep_id is None and account not in rules.named:
            plan.fault("{account} has no seller to stay with.", "Write it under `named` with one, or take it out.", key,
                       account=account)  # fmt: skip
        elif rep_id in gone and account not in rules.named:
            plan.fault("{account} is to stay with {rep}, who leaves.", "Write it under `named` with another, or take it out.",
                       key, account=account, rep=rep_id)  # fmt: skip
        if rules.named.get(account, rep_id) != rep_id:
            plan.fault("{account} is to stay with {rep}, and `named` gives it to {other}.", "Keep one of the two.", key,
                       account=account, rep=rep_id or "–", other=rules.named[account])  # fmt: skip
        if account in rules.locked & rules.apart:
            plan.fault("{account} is under `apart` too.", "Keep one of the two.", "locked", account=account)
    section = plan.section("named")
    for account, rep_id in rules.named.items():
        spoken, asked = rules.speaks(rep_id), rules.languages.get(country[account] or "")
        if rep_id in gone:
            section.fault("{rep} leaves.", "Name somebody who stays.", account, rep=rep_id)
        if asked and spoken is not None and not set(asked) & set(spoken):
            section.fault("{rep} speaks none of the languages that {country} asks for: {names}.",
                          "Name somebody who does, or add one to the seller's `languages`.", account, rep=rep_id,
                          country=country[account], names=", ".join(asked))  # fmt: skip
