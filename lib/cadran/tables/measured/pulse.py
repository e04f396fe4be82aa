"""What the measures of pulse surveys return. The columns of `by` come before these.

Of a cell that is not told exactly, only what its band tells stands here: the rest is null, and `reason` says why.
"""

import dataframely as dy


def _n(description: str) -> dy.Int64:
    return dy.Int64(nullable=True, min=0, description=description)


def _number(description: str, least: float | None = None, most: float | None = None) -> dy.Float64:
    return dy.Float64(nullable=True, min=least, max=most, description=description)


def _share(description: str) -> dy.Float64:
    return _number(description, 0, 1)


def _score(description: str) -> dy.Float64:
    return _number(description, -100, 100)


def _text(description: str, nullable: bool = True) -> dy.String:
    return dy.String(nullable=nullable, description=description)


_QUANTITY = "enps; or favourable_share, here in points: percent"
_TOLD = "exact; band: only the band of its high share; withheld: nothing"
_BAND = ("Least share of promoters, or favourable, where a band is told", "Greatest such share")


class _Row(dy.Schema):
    asked_in = _text("The wave: survey@wave", nullable=False)
    within = _text("Of a team, or of a crossed table: the group it stands in")


class Participation(_Row):
    """Who was invited and who answered, and what the scores would be if all the silent were unhappy, or happy."""

    n_invited = _n("Persons invited when the wave opened; null where not known")
    n_answered = _n("Persons who answered")
    participation_share = _share("Answered ÷ invited")
    participation_share_low = _share("Lower end of the 95 % interval (Wilson)")
    participation_share_high = _share("Upper end of it")
    enps_worst = _score("The eNPS if all who gave no score detracted; null without one eNPS question told exactly")
    enps_best = _score("The eNPS if they all promoted")
    favourable_worst_share = _share(
        "Mean favourable share of the questions told exactly, if all silent were unfavourable"
    )
    favourable_best_share = _share("The same, if they all were favourable")


class Enps(_Row):
    """Promoters less detractors of each eNPS question, on its own scale."""

    question_id = _text("The question", nullable=False)
    scale = _text("0–10 or 1–10: never pooled", nullable=False)
    n_scores = _n("Scores given")
    n_promoters = _n("9 or 10")
    n_passives = _n("7 or 8")
    n_detractors = _n("6 or less")
    enps = _score("100 × (promoters − detractors) ÷ scores")
    enps_low = _score("Lower end of the 95 % interval of the process (profile likelihood)")
    enps_high = _score("Upper end of it")
    n_invited = _n("Persons invited; null where not known")
    enps_all_low = _score("Least eNPS of all invited, 95 %, if the silent are as those who answered")
    enps_all_high = _score("Greatest such eNPS")
    told = _text(_TOLD, nullable=False)
    band_low = _share(_BAND[0])
    band_high = _share(_BAND[1])
    reason = _text("Why it is not told exactly")


class FavourableShare(_Row):
    """How many agreed, how many did not, and the mean score of each question. Reversed questions are turned."""

    question_id = _text("The question", nullable=False)
    of_dimension = _text("What it is about")
    scale = _text("Lowest and highest score", nullable=False)
    is_reversed = dy.Bool(nullable=False, description="Whether agreeing is bad: its scores are turned here")
    n_scores = _n("Scores given; not applicable is none")
    n_favourable = _n("Favourable ones: the top two of five, or as the question declares")
    n_neutral = _n("Neutral ones")
    n_unfavourable = _n("Unfavourable ones")
    favourable_share = _share("Favourable ÷ scores")
    favourable_share_low = _share("Lower end of the 95 % interval (Wilson)")
    favourable_share_high = _share("Upper end of it")
    n_invited = _n("Persons invited; null where not known")
    favourable_all_share_low = _share("Least share of all invited, 95 %, if the silent are as those who answered")
    favourable_all_share_high = _share("Greatest such share")
    neutral_share = _share("Neutral ÷ scores")
    unfavourable_share = _share("Unfavourable ÷ scores")
    mean_score = _number("Mean score")
    mean_score_low = _number("Lower end of its 95 % interval")
    mean_score_high = _number("Upper end of it")
    told = _text(_TOLD, nullable=False)
    band_low = _share(_BAND[0])
    band_high = _share(_BAND[1])
    reason = _text("Why it is not told exactly")


class DimensionIndex(_Row):
    """The questions of a dimension together, and how well they measure one thing."""

    of_dimension = _text("What the questions are about", nullable=False)
    n_items = _n("Questions of the dimension")
    items = _text("Which", nullable=False)
    n_scores = _n("Scores of the question that had the fewest")
    index = _number("Mean of the questions, each from 0 (worst score) to 100; null unless all are told exactly", 0, 100)
    index_low = _number("Lower end of the 95 % interval", 0, 100)
    index_high = _number("Upper end of it", 0, 100)
    favourable_share = _share("Mean favourable share of the questions")
    favourable_share_low = _share("Lower end of the 95 % interval")
    favourable_share_high = _share("Upper end of it")
    n_complete = _n("Company: persons who scored all of the questions")
    alpha = _number("Cronbach's alpha, of these", None, 1)
    alpha_low = _number("Lower end of the 95 % interval (Feldt)", None, 1)
    alpha_high = _number("Upper end of it", None, 1)
    omega = _share("McDonald's omega, one factor")
    omega_low = _share("Lower end of the 95 % interval (bootstrap over persons)")
    omega_high = _share("Upper end of it")
    undefined = _text("Why there is no alpha, or no omega")
    reason = _text("Why there is no index")


class RollingScore(_Row):
    """The score of each person's latest answer."""

    question_id = _text("The question", nullable=False)
    quantity = _text(_QUANTITY, nullable=False)
    scale = _text("Lowest and highest score", nullable=False)
    n_scores = _n("Persons whose latest answer is counted")
    n_of_this_wave = _n("Scores of the wave itself, where they are told: the others are of waves before")
    n_favourable = _n("Promoters, or favourable")
    n_neutral = _n("Passives, or neutral")
    n_unfavourable = _n("Detractors, or unfavourable")
    value = _score("The score; null where it is not told")
    value_low = _score("Lower end of the 95 % interval")
    value_high = _score("Upper end of it")
    told = _text("exact; withheld: nothing", nullable=False)
    reason = _text("Why it is not told")


class PulseTrend(_Row):
    """A score wave by wave, and how far it moved. All in points."""

    closed_on = dy.Date(nullable=False, description="When the wave closed")
    question_id = _text("The question", nullable=False)
    quantity = _text(_QUANTITY, nullable=False)
    scale = _text("Lowest and highest score", nullable=False)
    n_scores = _n("Scores given")
    value = _score("The score; null where it is not told exactly")
    value_low = _score("Lower end of the 95 % interval")
    value_high = _score("Upper end of it")
    previous = _text("The wave before that told it of the same group")
    moved = _number("By how many points it moved since", -200, 200)
    moved_low = _number("Lower end of the 95 % interval, waves taken as independent", -200, 200)
    moved_high = _number("Upper end of it", -200, 200)
    is_change = dy.Bool(nullable=True, description="Whether its interval, widened for n_compared, excludes 0")
    first = _text("The first wave that told it of the same group")
    moved_since_first = _number("By how many points it moved since the first", -200, 200)
    moved_since_first_low = _number("Lower end of the 95 % interval", -200, 200)
    moved_since_first_high = _number("Upper end of it", -200, 200)
    is_change_since_first = dy.Bool(nullable=True, description="Whether its interval, widened, excludes 0")
    n_compared = _n("Changes looked at together")
    mix_cut = _text("Company: the cut within whose groups the move since the previous wave is taken")
    moved_same_mix = _number("By how many points it moved with the groups weighed alike in both waves", -200, 200)
    moved_same_mix_low = _number("Lower end of the 95 % interval", -200, 200)
    moved_same_mix_high = _number("Upper end of it", -200, 200)
    reading = _text("change, no_change, who_answered, reversed or hidden_by_who_answered; as the definition has them")
    told = _text(_TOLD, nullable=False)
    reason = _text("Why it is not told exactly")


class PulseCompared(_Row):
    """Each group beside the company, and what is left of the difference once chance is allowed for. All in points."""

    question_id = _text("The question", nullable=False)
    quantity = _text(_QUANTITY, nullable=False)
    n_scores = _n("Scores given")
    value = _score("The score of the group; null where it is not told exactly")
    value_low = _score("Lower end of the 95 % interval")
    value_high = _score("Upper end of it")
    company_value = _score("The score of the company")
    difference = _number("Group less company", -200, 200)
    difference_low = _number("Lower end of its interval, 95 % for all n_compared together", -200, 200)
    difference_high = _number("Upper end of it", -200, 200)
    is_difference = dy.Bool(nullable=True, description="Whether that interval excludes 0")
    n_compared = _n("Differences looked at together")
    shrunk_value = _score("The score pulled towards the mean of the groups, the more so the fewer answered")
    shrunk_value_low = _score("Lower end of its 95 % interval (empirical Bayes)")
    shrunk_value_high = _score("Upper end of it")
    told = _text(_TOLD, nullable=False)
    band_low = _share(_BAND[0])
    band_high = _share(_BAND[1])
    reason = _text("Why it is not told exactly, or not shrunk")


class Detectable(_Row):
    """The smallest difference that so many answers would show, four times in five. All in points."""

    question_id = _text("The question", nullable=False)
    quantity = _text(_QUANTITY, nullable=False)
    n_scores = _n("Scores given")
    value = _score("The score")
    detectable = _number("From a given score; null where no possible difference would show", 0, 200)
    previous = _text("The wave before that told it of the same group")
    n_scores_before = _n("Scores given then")
    detectable_change = _number("Since that wave; null where no possible change would show", 0, 200)
    reason = _text("Why there is none")
