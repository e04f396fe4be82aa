"""The one panel of levers, and the scenarios kept: what can be pulled, by how much, and how the address holds it."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any

from cadran.figures.bar import control_html
from cadran.figures.controls import Choice, Control, Text, View, read_view
from cadran.text import Words

#: Segments, or regions, that have a slider of their own.
MOST = 24
#: Factors of a lever on what is done, and on what is there.
FACTORS = ("0.7", "0.8", "0.9", "0.95", "1", "1.05", "1.1", "1.2", "1.3", "1.5")
SHARES = ("0", "0.5", "0.75", "1", "1.25", "1.5", "2")
#: Hours within which clients are answered; "0" leaves things as they are.
WITHIN = ("0", "72", "48", "24", "8", "4", "1")
#: Sellers hired in a region, and in how many months.
HIRES, AHEAD = tuple(str(n) for n in range(7)), tuple(str(n) for n in range(12))
#: Places in the address for scenarios under their names.
KEPT = ("keep_a", "keep_b", "keep_c")
#: Levers that are pulled in one segment or region, by the control that names it.
IN_SEGMENT, IN_REGION, HIRED_IN = "win_in", "arrivals_in", "hires_in"
ALL = "all"


@dataclass(frozen=True)
class Reach:
    """What the levers of a book can be pulled in."""

    segments: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    #: Names of the pay plans a person wrote.
    plans: tuple[str, ...] = ()
    #: What stands for names that must not be read, where others look on.
    stands: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Whether their reader sees more than what is presented.
    may_unmask: bool = True
    #: What their reader's role is told of: words of `cadran.book.reader.RIGHTS`; None for all.
    told: frozenset[str] | None = None
    #: Whose pay is told line by line: identifier -> name.
    paid: Mapping[str, str] = field(default_factory=dict, hash=False)

    def named(self, names: Sequence[str]) -> dict[str, str]:
        """Each of these names by what stands for it in the address: letters and digits, no two alike."""
        found: dict[str, str] = {}
        for name in names[:MOST]:
            plain = (
                unicodedata.normalize("NFKD", self.stands.get(name, name)).encode("ascii", "ignore").decode().lower()
            )
            short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"
            while short in found or short == ALL:
                short += "-x"
            found[short] = name
        return found


@dataclass(frozen=True)
class Scenario:
    """Levers under a name."""

    name: str
    view: View
    #: The place in the address that keeps it.
    place: str = ""


def lever_controls(reach: Reach, words: Words) -> list[Control]:
    """Every lever, where it is pulled, and the places of the scenarios kept."""
    segments, regions = reach.named(reach.segments), reach.named(reach.regions)
    factors = {each: _factor(each, words) for each in FACTORS}
    hires = {each: words.n("{n} seller", "{n} sellers", int(each)) if each != "0" else words("none") for each in HIRES}
    ahead = {
        each: words.n("in {n} month", "in {n} months", int(each)) if each != "0" else words("at once") for each in AHEAD
    }
    within = {each: words.n("{n} hour", "{n} hours", int(each)) if each != "0" else words("as now") for each in WITHIN}
    levers = [
        *_each("win", words("Odds of winning"), IN_SEGMENT, words("Segment"), words("all segments"), segments, factors),
        _slider("size", words("Size of deals"), factors, "1"),
        _slider("cycle", words("Time deals take"), factors, "1"),
        *_each("arrivals", words("New deals"), IN_REGION, words("Region"), words("all regions"), regions, factors),
        _slider("answer", words("Clients are answered within"), within, "0"),
        *([Choice(HIRED_IN, words("Hire in"), regions, next(iter(regions)), is_local=True)] if regions else []),
        *(
            _slider(f"{what}-{short}", label, steps, "0", f"{HIRED_IN}={short}")
            for short in regions
            for what, label, steps in (("hires", words("Hires"), hires), ("from", words("Hired"), ahead))
        ),
        _slider("ramp", words("Time new sellers need"), {each: _factor(each, words) for each in SHARES[1:]}, "1"),
        _slider("attrition", words("Sellers who leave"), {each: _factor(each, words) for each in SHARES}, "1"),
        _slider("quota", words("Quotas"), factors, "1"),
    ]  # fmt: skip
    if len(reach.plans) > 1:
        plans = {"": words("as now")} | {name: name for name in reach.plans}
        levers.append(Choice("plan", words("Pay plan"), plans, "", is_local=True))
    return [*levers, *(Text(place, words("Scenario {letter}", letter=place[-1].upper())) for place in KEPT)]


def _each(
    name: str, label: str, chooser: str, of: str, every: str, groups: Mapping[str, str], steps: Mapping[str, str]
) -> list[Choice]:
    """One lever over all, and over each group alone, of which one slider is shown."""
    if len(groups) < 2:
        return [_slider(name, label, steps, "1")]
    return [
        Choice(chooser, of, {ALL: every, **groups}, ALL, is_local=True),
        *(_slider(f"{name}{f'-{short}' * (short != ALL)}", label, steps, "1", f"{chooser}={short}")
          for short in (ALL, *groups)),
    ]  # fmt: skip


def _slider(name: str, label: str, steps: Mapping[str, str], default: str, when: str = "") -> Choice:
    return Choice(name, label, steps, default, slides=True, is_local=True, when=when)


def _factor(factor: str, words: Words) -> str:
    return words("as now") if factor == "1" else words.percent(float(factor) - 1, sign=True)


def names_of(controls: Iterable[Control]) -> list[str]:
    """The controls of the panel, in order."""
    first = ("win", "size", "cycle", "arrivals", "answer", "hires", "from", "ramp", "attrition", "quota", "plan")
    return [each.name for each in controls if isinstance(each, Choice) and re.split("[-_]", each.name)[0] in first]


def levers_of(view: View, reach: Reach, months: Sequence[date]) -> dict[str, Any]:
    """The levers a view has pulled, by the names and in the units of a scenario; none where things are as now.

    `months` are those of the horizon, first days: hires come in one of them.
    """
    segments, regions = reach.named(reach.segments), reach.named(reach.regions)
    plain = {name: float(view[name]) for name in ("size", "cycle", "ramp", "attrition", "quota")}
    pulled: dict[str, Any] = {name: factor for name, factor in plain.items() if factor != 1}
    for name, key, groups in (("win", "win_odds", segments), ("arrivals", "arrivals", regions)):
        factors = {
            short: float(view.controls.get(f"{name}{f'-{short}' * (short != ALL)}", "1")) for short in (ALL, *groups)
        }
        if moved := tuple((groups.get(short), factor) for short, factor in factors.items() if factor != 1):
            pulled[key] = moved
    if view["answer"] != "0":
        pulled["answer_hours"] = float(view["answer"])
    hires = ((name, int(view[f"from-{short}"]), int(view[f"hires-{short}"])) for short, name in regions.items())
    if hired := tuple((name, months[min(ahead, len(months) - 1)], n) for name, ahead, n in hires if n):
        pulled["hires"] = hired
    if view.controls.get("plan"):
        pulled["plan"] = view["plan"]
    return pulled


def scenarios(view: View, controls: Sequence[Control], words: Words) -> list[Scenario]:
    """The scenarios that the address keeps, each held to what the levers allow."""
    found = []
    names = {*names_of(controls)}
    levers = [each for each in controls if each.name in names]
    for place in KEPT:
        name, *pairs = view[place].split("|")
        if name.strip():
            raw = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            held = read_view({"controls": raw}, levers, (), words)
            found.append(Scenario(name.strip()[:40], held, place))
    return found


def as_kept(view: View, controls: Sequence[Control]) -> str:
    """The levers a view has pulled, as the address keeps them behind the name of a scenario."""
    names = {*names_of(controls)} - {IN_SEGMENT, IN_REGION, HIRED_IN}
    pulled = (each for each in controls if each.name in names and view[each.name] != each.default)
    return "|".join(f"{each.name}={view[each.name]}" for each in pulled)


def told(view: View, controls: Sequence[Control], words: Words) -> list[str]:
    """The levers a view has pulled, in words: "New deals, Nord: +10 %"."""
    names, by_name, said = {*names_of(controls)} - {IN_SEGMENT, IN_REGION, HIRED_IN}, {c.name: c for c in controls}, []
    for each in controls:
        if not isinstance(each, Choice) or each.name not in names or view[each.name] == each.default:
            continue
        chooser, _, short = each.when.partition("=")
        groups = by_name.get(chooser)
        where = groups.options[short] if isinstance(groups, Choice) and short != ALL else ""
        if each.name.startswith("from-") and view[f"hires-{short}"] == "0":
            continue
        what = words("{what}, {where}", what=each.label, where=where) if where else each.label
        said.append(f"{what}{words(': ')}{each.options[view[each.name]]}")
    return said


@dataclass(frozen=True)
class Panel:
    """The levers, always in the same markup, so that a slider stays under the hand that moves it."""

    controls: Sequence[Control]
    values: Mapping[str, str]
    title: str
    said: str
    #: Whether scenarios can be kept here under a name.
    keeps: bool = True

    def html(self, slot: str, words: Words) -> str:
        """The sliders, a way back, and the name of a scenario to keep."""
        inputs = "".join(control_html(each, self.values, words) for each in self.controls)
        back = json.dumps({each.name: each.default for each in self.controls})
        naming = escape(words("Name of the scenario"))
        named = f"<input data-naming maxlength=40 aria-label='{naming}' placeholder='{naming}'>" if self.keeps else ""
        return (
            f"<div class='levers panel'><h2>{escape(self.title)}</h2><p>{escape(self.said)}</p>"
            f"<div class=controls>{inputs}</div><div class=acts>"
            f"{put(words('Back to things as they are'), back, 'r')}{named}</div></div>"
        )


@dataclass(frozen=True)
class Kept:
    """The scenarios kept, each to be shown again or forgotten, and the places left for the levers as they stand."""

    scenarios: Sequence[Scenario]
    #: The levers pulled now, as the address keeps them.
    pulled: str
    #: Every lever at rest.
    rest: Mapping[str, str]
    title: str
    #: The levers pulled now, in words.
    told: Sequence[str] = ()
    #: Files by their kind: the scenarios as `cadran scenario FILE` reads them.
    offers: Mapping[str, bytes] = field(default_factory=dict)

    def html(self, slot: str, words: Words) -> str:
        """One line: keep this, each scenario kept, the file."""
        held = {each.place for each in self.scenarios}
        free = next((place for place in KEPT if place not in held), None)
        keep = ""
        if free and self.pulled:
            # The browser says which levers are pulled when it is pressed: an answer to the last of them may be on its way.
            rest = {
                each: at_rest for each, at_rest in self.rest.items() if each not in (IN_SEGMENT, IN_REGION, HIRED_IN)
            }
            name = escape(words("Scenario {letter}", letter=free[-1].upper()))
            keep = (
                f'<button type=button class=chip data-act=keep data-keep="{free}" data-rest="{escape(json.dumps(rest))}" '
                f'data-name="{name}">{escape(words("Keep this as a scenario"))}</button>'
            )
        chips = "".join(self._chip(each, words) for each in self.scenarios)
        file = ""
        if self.offers and self.scenarios:
            text = escape(words("Download for the command line"))
            file = f'<button type=button data-act=export data-export="{slot}" data-format=toml>{text}</button>'
        said = f"<span class=what>{escape(words('; ').join(self.told))}</span>" if self.told else ""
        return f"<div class='chips kept'>{said}{keep}{chips}{file}</div>" if keep or chips else ""

    def _chip(self, each: Scenario, words: Words) -> str:
        forget = words("Forget {name}", name=each.name)
        values = {name: each.view.controls.get(name, at_rest) for name, at_rest in self.rest.items()}
        return (
            f"<span class=pair>{put(each.name, json.dumps(values), title=words('Pull these levers'))}"
            f"{put('×', json.dumps({each.place: ''}), title=forget)}</span>"
        )


def put(text: str, controls: str, shortcut: str = "", title: str = "") -> str:
    """A button that sets controls, given as JSON."""
    key = f' data-shortcut="{shortcut}"' if shortcut else ""
    hint = f' title="{escape(title)}" aria-label="{escape(title)}"' if title else ""
    return f'<button type=button data-act=put data-put="{escape(controls)}"{key}{hint}>{escape(text)}</button>'
