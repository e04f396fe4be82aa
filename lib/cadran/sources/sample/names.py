"""Names of invented people and companies."""

import numpy as np

from cadran.sources.sample.draws import Draws, Keys

_FIRST = [
    "Adèle", "Amir", "Anaïs", "Antoine", "Aurore", "Basile", "Camille", "Céleste", "Clément", "Diane", "Élias",
    "Emma", "Fanny", "Farid", "Gaspard", "Hannah", "Hugo", "Inès", "Ismaël", "Jeanne", "Jonas", "Julie", "Karim",
    "Léa", "Louis", "Lucie", "Maëlle", "Malik", "Margaux", "Mathis", "Nadia", "Noé", "Olivia", "Oscar", "Pauline",
    "Rémi", "Salomé", "Samuel", "Sofia", "Théo", "Valentine", "Yanis",
]  # fmt: skip
_LAST = [
    "Albaret", "Amsellor", "Baudrival", "Belcourtois", "Bréhal", "Carvellon", "Castabert", "Chaumarel", "Corvigny",
    "Dalbrun", "Delmarais", "Desforêts", "Durvaux", "Estrovel", "Falguerac", "Fontarède", "Gaillevin", "Garombe",
    "Herbelot", "Jourdival", "Kermorvan", "Lacombrade", "Lestival", "Loriac", "Malverne", "Marsoulan", "Montrevel",
    "Nadarel", "Orsival", "Pelletan", "Pradelier", "Quérouan", "Ravinel", "Rocherol", "Sauvadet", "Serverin",
    "Talvard", "Tourneral", "Valmire", "Verdanson", "Vigneval", "Ysambert",
]  # fmt: skip
_BEGIN = ["Al", "Bel", "Cor", "Dal", "Er", "Fer", "Gal", "Hel", "Il", "Jan", "Lor", "Mar", "Nov", "Or", "Pal", "Quen",
          "Ros", "Sol", "Tar", "Ur", "Val", "Ver", "Xan", "Zel"]  # fmt: skip
_MIDDLE = ["a", "ati", "be", "co", "di", "e", "fi", "go", "i", "lo", "mi", "no", "o", "pi", "ra", "se", "ti", "u", "va"]
_ENDS = ["brel", "cène", "dane", "fane", "gnac", "lième", "mont", "nelle", "phar", "quel", "rène", "sance", "tiale",
         "vère", "xime", "zane"]  # fmt: skip
_TRADES = [
    ["Industries", "Mécanique", "Usinage"], ["Distribution", "Maison", "Enseignes"],
    ["Finance", "Assurances", "Crédit"], ["Santé", "Cliniques", "Laboratoires"],
    ["Métropole", "Agence publique", "Habitat"], ["Énergies", "Réseaux", "Hydro"],
    ["Numérique", "Logiciels", "Data"], ["Transport", "Logistique", "Fret"],
]  # fmt: skip


def person_names(draws: Draws, count: int) -> list[str]:
    """Distinct names of `count` people (at most 1,764)."""
    order = np.argsort(draws.uniform("name", np.arange(len(_FIRST) * len(_LAST)).astype(np.uint64)), kind="stable")
    return [f"{_FIRST[i % len(_FIRST)]} {_LAST[i // len(_FIRST)]}" for i in order[:count].tolist()]


def company_names(keys: Keys, sectors: np.ndarray, draws: Draws) -> list[str]:
    """One name per prospect; a few occur twice, as they do in life."""
    parts = [
        (draws.uniform(f"company {i}", keys) * len(words)).astype(np.int64).tolist()
        for i, words in enumerate((_BEGIN, _MIDDLE, _ENDS, _TRADES[0]))
    ]
    return [
        f"{_BEGIN[a]}{_MIDDLE[b]}{_ENDS[c]} {_TRADES[sector][d]}"
        for a, b, c, d, sector in zip(*parts, sectors.tolist(), strict=True)
    ]
