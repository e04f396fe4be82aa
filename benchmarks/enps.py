"""`python -m benchmarks.enps`: which interval of an eNPS holds the true one as often as it says, and is narrowest.

Every outcome of a survey of up to 100 answers is enumerated; of 200 to 500, 20,000 are drawn a cell. Answers are
independent: promoter, passive or detractor. The table goes to `docs/enps.md`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import betainc, betaincinv, gammaln, xlogy
from scipy.stats import hypergeom

from benchmarks.report import put, timed
from cadran.measures.enps_interval import enps_interval, enps_interval_of_all, share_interval_of_all

Z = 1.959963984540054
SIZES = (*range(8, 21), 25, 30, 40, 50, 70, 100)
DRAWN = (200, 300, 500)
DRAWS = 20_000
PAGE = Path(__file__).parent.parent / "docs" / "enps.md"
Way = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def cells() -> list[tuple[float, float]]:
    """True score and share of passives, where there is room for both."""
    return [(s, m) for m in (0.15, 0.35) for s in np.arange(-60, 81, 5) / 100 if abs(s) <= 1 - m - 0.0499]


def outcomes(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every (promoters, passives, detractors) of n answers."""
    high, low = (each.ravel() for each in np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij"))
    fits = high + low <= n
    return high[fits], n - high[fits] - low[fits], low[fits]


def chances(counts: tuple[np.ndarray, ...], shares: tuple[float, ...]) -> np.ndarray:
    """How likely each outcome is."""
    n = sum(counts)
    logs = [xlogy(k, p) - gammaln(k + 1) for k, p in zip(counts, shares, strict=True)]
    return np.exp(gammaln(n + 1) + sum(logs))


def shares(score: float, passive: float) -> tuple[float, float, float]:
    """Shares of promoters, passives and detractors."""
    return (1 - passive + score) / 2, passive, (1 - passive - score) / 2


def adjusted_wald(ends: float, between: float) -> Way:
    """Estimate ± z standard errors, once answers were added."""

    def interval(high, middle, low):
        n = high + middle + low + 2 * ends + between
        p, q = (high + ends) / n, (low + ends) / n
        half = Z * np.sqrt((p + q - (p - q) ** 2) / n)
        return np.maximum(p - q - half, -1), np.minimum(p - q + half, 1)

    return interval


def halved(is_inside: Callable[..., np.ndarray], ends: float = 0.0, between: float = 0.0) -> Way:
    """The interval of the scores that a test does not reject, once answers were added."""

    def interval(high, middle, low):
        p, m, q = high + ends, middle + between, low + ends
        found = []
        for end in (-1.0, 1.0):
            inside, outside = (p - q) / (p + m + q), np.full(len(p), end)
            for _ in range(40):
                at = (inside + outside) / 2
                holds = is_inside(p, m, q, at)
                inside, outside = np.where(holds, at, inside), np.where(holds, outside, at)
            found.append((inside + outside) / 2)
        return found[0], found[1]

    return interval


def constrained(p, m, q, at):
    """Share of detractors that is likeliest where the score is given (Tango 1998)."""
    n = p + m + q
    a, b, c = 2 * n, -p - q + (2 * n - p + q) * at, -q * at * (1 - at)
    return np.maximum((np.sqrt(np.maximum(b * b - 4 * a * c, 0)) - b) / (2 * a), np.maximum(0, -at))


def score_test(more: float = 0.0) -> Callable[..., np.ndarray]:
    """The restricted score test; `more`: its quantile squared is of n answers where there were n + more."""

    def is_inside(p, m, q, at):
        n = p + m + q
        variance = n * (2 * constrained(p, m, q, at) + at * (1 - at))
        return (p - q - n * at) ** 2 <= Z * Z * n / (n + more) * variance + 1e-12

    return is_inside


def likelihood_ratio(p, m, q, at):
    """The likelihood ratio test."""
    n, low = p + m + q, constrained(p, m, q, at)
    of = ((p, low + at), (m, 1 - at - 2 * low), (q, low))
    return 2 * sum(xlogy(k, k / n) - xlogy(k, np.maximum(share, 1e-300)) for k, share in of) <= Z * Z


def newcombe(high, middle, low):
    """Wilson's limits of both shares, squared and added, with their correlation (Newcombe 1998, method 10)."""
    n = high + middle + low

    def wilson(k):
        half = Z * np.sqrt(k * (n - k) / n + Z * Z / 4)
        return k / n, (k + Z * Z / 2 - half) / (n + Z * Z), (k + Z * Z / 2 + half) / (n + Z * Z)

    (p, p_low, p_high), (q, q_low, q_high) = wilson(high), wilson(low)
    spread = np.sqrt(p * (1 - p) * q * (1 - q))
    shared = np.where(spread > 0, 2 * p * q / np.where(spread > 0, spread, 1), 0)
    below = (p - p_low) ** 2 + (q_high - q) ** 2 + shared * (p - p_low) * (q_high - q)
    above = (p_high - p) ** 2 + (q - q_low) ** 2 + shared * (p_high - p) * (q - q_low)
    return p - q - np.sqrt(below), p - q + np.sqrt(above)


def fisher(high, middle, low):
    """Adjusted Wald on the scale of the inverse hyperbolic tangent."""
    n = high + middle + low + 1.5
    p, q = (high + 0.5) / n, (low + 0.5) / n
    half = Z * np.sqrt((p + q - (p - q) ** 2) / n) / (1 - (p - q) ** 2)
    return np.tanh(np.arctanh(p - q) - half), np.tanh(np.arctanh(p - q) + half)


def dirichlet(ends: float, between: float) -> Way:
    """Quantiles of the posterior: all who have an opinion are a Beta, promoters among them another one."""
    nodes, weights = np.polynomial.legendre.leggauss(40)

    def interval(high, middle, low):
        p, m, q = high + ends, middle + between, low + ends
        opinions = np.maximum(betaincinv((p + q)[:, None], m[:, None], (nodes + 1)[None, :] / 2), 1e-12)
        found = []
        for quantile in (0.025, 0.975):
            below, above = np.full(len(p), -1.0), np.full(len(p), 1.0)
            for _ in range(22):
                at = (below + above) / 2
                inner = np.clip((at[:, None] / opinions + 1) / 2, 0, 1)
                is_low = (betainc(p[:, None], q[:, None], inner) * weights / 2).sum(axis=1) < quantile
                below, above = np.where(is_low, at, below), np.where(is_low, above, at)
            found.append((below + above) / 2)
        return found[0], found[1]

    return interval


def ours(high, middle, low):
    """What Cadran tells."""
    lower, upper = enps_interval(high, middle, low)
    return lower / 100, upper / 100


WAYS: dict[str, Way] = {
    "Wald": adjusted_wald(0, 0),
    "adjusted Wald, n + 2 (½, 1, ½: Agresti & Min)": adjusted_wald(0.5, 1),
    "adjusted Wald, n + 2 (1, 0, 1: Bonett & Price)": adjusted_wald(1, 0),
    "adjusted Wald, n + 2½ (1, ½, 1)": adjusted_wald(1, 0.5),
    "adjusted Wald, n + 3 (¾, 1½, ¾)": adjusted_wald(0.75, 1.5),
    "adjusted Wald, n + 3 (1, 1, 1)": adjusted_wald(1, 1),
    "adjusted Wald, n + 3 (½, 2, ½)": adjusted_wald(0.5, 2),
    "adjusted Wald on atanh (½, ½, ½)": fisher,
    "Newcombe, method 10": newcombe,
    "restricted score (Tango)": halved(score_test()),
    "restricted score, z² × n ÷ (n + ½)": halved(score_test(0.5)),
    "restricted score, z² × n ÷ (n + ¾)": halved(score_test(0.75)),
    "Dirichlet posterior (½, ½, ½: Jeffreys)": dirichlet(0.5, 0.5),
    "Dirichlet posterior (½, 0.4, ½)": dirichlet(0.5, 0.4),
    "Dirichlet posterior (1, 1, 1: uniform)": dirichlet(1, 1),
    "profile likelihood": halved(likelihood_ratio),
    "profile likelihood (¼, ¼, ¼)": halved(likelihood_ratio, 0.25, 0.25),
    "profile likelihood (⅓, ⅓, ⅓)": halved(likelihood_ratio, 1 / 3, 1 / 3),
    "profile likelihood (½, ½, ½)": halved(likelihood_ratio, 0.5, 0.5),
    "profile likelihood (0.2, ¾, 0.2)": halved(likelihood_ratio, 0.2, 0.75),
    "profile likelihood (¼, ½, ¼)": halved(likelihood_ratio, 0.25, 0.5),
    "**Cadran: profile likelihood (¼, 0.7, ¼), with the score itself**": ours,
}


def scored(way: Way, sizes: tuple[int, ...] = SIZES, drawn: tuple[int, ...] = DRAWN) -> np.ndarray:
    """One row per size and cell: n, score, passives, coverage, mean width (both ends in −1 to 1)."""
    found = []
    for n in (*sizes, *drawn):
        counts = outcomes(n) if n in sizes else drawn_outcomes(n)
        lower, upper = way(*counts)
        for score, passive in cells():
            chance = chances(counts, shares(score, passive))
            holds = (lower <= score + 1e-9) & (score - 1e-9 <= upper)
            if n not in sizes:
                # Of what was drawn, each outcome as often as this cell has it.
                chance = chance / chance.sum()
            found.append((n, score, passive, chance @ holds, chance @ (upper - lower)))
    return np.array(found)


def drawn_outcomes(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outcomes that any cell drew, each once."""
    random = np.random.default_rng(n)
    rows = np.concatenate([random.multinomial(n, shares(*cell), DRAWS) for cell in cells()])
    high, middle, low = np.unique(rows, axis=0).T.astype(float)
    return high, middle, low


def of_all() -> np.ndarray:
    """The finite intervals in companies of 10 to 80, half to nine in ten having answered: one row per company.

    People, answers, coverage of eNPS, coverage of the share of promoters.
    """
    found = []
    for people in (10, 12, 16, 20, 30, 50, 80):
        for n in {round(share * people) for share in (0.5, 0.7, 0.8, 0.9)}:
            counts = outcomes(n)
            lower, upper = enps_interval_of_all(*counts, people)
            k = np.arange(n + 1.0)
            least, most = share_interval_of_all(k, n, people)
            for score, passive in cells():
                high, middle = (int(share * people + 0.5) for share in shares(score, passive)[:2])
                there = (high, middle, people - high - middle)
                if there[2] < 0:
                    continue
                chance = np.exp(sum(_ways(m, c) for m, c in zip(there, counts, strict=True)) - _ways(people, n))
                true = 100 * (there[0] - there[2]) / people
                holds = (lower <= true + 1e-9) & (true - 1e-9 <= upper)
                is_held = (least <= high / people + 1e-9) & (high / people - 1e-9 <= most)
                found.append((people, n, chance @ holds, hypergeom.pmf(k, people, high, n) @ is_held))
    return np.array(found)


def _ways(n: float, k: np.ndarray | float) -> np.ndarray:
    """Log of the ways to draw k of n; minus infinity where there is none."""
    k = np.asarray(k, float)
    logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(np.maximum(n - k, 0) + 1)
    return np.where(k <= n, logs, -np.inf)


def report() -> str:
    """The table, and what it says of the finite intervals."""
    lines = [
        "| interval (added to promoters, passives, detractors) | mean coverage | least, and where | cells under 93 % "
        "| mean width, n = 8 | n ≤ 20 | n > 20 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, way in WAYS.items():
        rows = scored(way)
        n, score, passive, least, _ = rows[rows[:, 3].argmin()]
        size, width = rows[:, 0], 100 * rows[:, 4]
        lines.append(
            f"| {name} | {rows[:, 3].mean():.2%} | {least:.1%} ({n:.0f} answers, {100 * score:+.0f}, {passive:.0%}) | "
            f"{(rows[:, 3] < 0.93).sum()} of {len(rows)} | {width[size == 8].mean():.1f} | "
            f"{width[size <= 20].mean():.1f} | {width[size > 20].mean():.1f} |"
        )
    rows = of_all()
    lines.append(
        f"\nOf all invited: {len(rows)} companies of 10 to 80 people, half to nine in ten of whom answered, enumerated: "
        f"eNPS {rows[:, 2].mean():.1%} on average, {rows[:, 2].min():.1%} at the least; share of promoters "
        f"{rows[:, 3].mean():.1%} and {rows[:, 3].min():.1%}."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    table, (seconds, _) = timed(report)
    put("coverage", table + f"\n\nMade by `python -m benchmarks.enps` in {seconds:.0f} s.", PAGE)
    print(table)
