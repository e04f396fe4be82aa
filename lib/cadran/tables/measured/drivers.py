"""What goes with eNPS in one wave of a survey, and what weighs on teams beside what they answer: whole groups, never a person."""

import dataframely as dy
import polars as pl


def _share(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=1, description=description)


def _number(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, description=description)


class Driver(dy.Schema):
    """A question of one wave: how much it tells of the outcome. The strongest first."""

    question_id = dy.String(primary_key=True, description="The question")
    dimension = dy.String(nullable=True, description="What it is about")
    rank = dy.Int64(nullable=True, min=1, description="Its place by the share of R²; null if set aside")
    dominance = _number("R² it adds, averaged over all subsets of the other questions, less what chance adds")
    dominance_low = _number("Lower end of its 95 % interval")
    dominance_high = _number("Upper end of its 95 % interval")
    r2_share = _share("Its share of what all questions tell")
    r2_share_low = _share("Lower end of its 95 % interval")
    r2_share_high = _share("Upper end of its 95 % interval")
    first_share = _share("Share of samples drawn anew from these people in which it comes first")
    is_told = dy.Bool(nullable=True, description="Whether the interval of its dominance lies above 0")
    correlation = _number("Correlation with the outcome; reversed questions are turned")
    correlation_low = _number("Lower end of its 95 % interval")
    correlation_high = _number("Upper end of its 95 % interval")
    sign = dy.Int8(nullable=True, description="1: people who answer higher give a higher outcome; −1: a lower one")
    slope = _number("Points of the outcome that go with one point more here, the other questions alike")
    slope_low = _number("Lower end of its 95 % interval")
    slope_high = _number("Upper end of its 95 % interval")
    ordinal_share = _share("Its share of what all questions tell where only the order of scores counts")
    ordinal_rank = dy.Int64(nullable=True, min=1, description="Its place by that share")
    pairwise_share = _share("Its share of R² from all pairs of answers given; null where few are missing")
    alike = dy.List(dy.String(nullable=False), nullable=True, description="Questions answered nearly alike")
    reason = dy.String(nullable=True, description="Why it was set aside; null where it was not")


class Raised(dy.Schema):
    """What goes with higher answers to the questions of one dimension, in points of the outcome."""

    dimension = dy.String(nullable=False, description="The dimension; the question where it is of none")
    rise = dy.Float64(nullable=False, description="By how many points the answers are higher")
    effect = _number("By how many points the outcome is")
    effect_low = _number("Lower end of its 95 % interval")
    effect_high = _number("Upper end of its 95 % interval")


class Priority(dy.Schema):
    """Where a question stands: how favourable the answers are, how much it goes with the outcome."""

    question_id = dy.String(primary_key=True, description="The question")
    dimension = dy.String(nullable=True, description="What it is about")
    favourable_share = _share("Share of favourable answers released; the middle of its band; null: withheld")
    favourable_low = _share("Least favourable share told: of a band its end, else the share")
    favourable_high = _share("Greatest favourable share told")
    favourable_cut = _share("The mean of the questions: under it a share is low")
    r2_share = _share("Share of what all questions tell of the outcome")
    r2_share_low = _share("Lower end of its 95 % interval")
    r2_share_high = _share("Upper end of its 95 % interval")
    r2_cut = _share("An even share: above it a question is strong")
    quadrant = dy.String(nullable=True, description="act, keep, watch or leave; null where it cannot be told")
    is_sure = dy.Bool(nullable=True, description="Whether the interval of the share of R² lies on one side of its cut")

    @dy.rule()
    def a_quadrant_is_one_of_four(cls) -> pl.Expr:
        return cls.quadrant.col.is_null() | cls.quadrant.col.is_in(["act", "keep", "watch", "leave"])
