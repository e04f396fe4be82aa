"""What is told of one-to-ones: to a manager of those they lead, to others of groups in which several managers are."""

import dataframely as dy


def _n(description: str) -> dy.Int64:
    return dy.Int64(nullable=True, min=0, description=description)


class Waiting(dy.Schema):
    """Somebody a manager leads, the one who has been waiting longest first. For that manager alone."""

    person = dy.String(primary_key=True, description="Who is led")
    last_held = dy.Date(nullable=True, description="The last one-to-one; null: none is known")
    waiting_days = dy.Int64(
        nullable=False, min=0, description="Days since, or since they are led by this manager, who notes them"
    )
    rhythm_days = dy.Int64(nullable=False, min=1, description="Days agreed between two")
    is_late = dy.Bool(nullable=False, description="Whether it is longer ago than agreed, and a quarter more")
    next_planned = dy.Date(nullable=True, description="The next one planned; null: none is")


class Hours(dy.Schema):
    """Hours of one manager in one week."""

    manager = dy.String(primary_key=True, description="The manager")
    week = dy.Date(primary_key=True, description="Its Monday")
    n_held = dy.Int64(nullable=False, min=0, description="One-to-ones held")
    hours_held = dy.Float64(nullable=False, min=0, description="Their hours")
    n_planned = dy.Int64(nullable=False, min=0, description="One-to-ones planned, and not held so far")
    hours_planned = dy.Float64(nullable=False, min=0, description="Their hours")


class Regularity(dy.Schema):
    """How regularly the people of a group are met."""

    region = dy.String(nullable=True, description="Sales region; null: the whole company")
    team = dy.String(nullable=True, description="Team; null: the whole region, or company")
    n_people = _n("People there whose manager has noted one-to-ones; null where it is not told")
    n_managers = _n("Their managers")
    n_on_rhythm = _n("Of the people, those met within the days agreed, and a quarter more")
    on_rhythm_share = dy.Float64(nullable=True, min=0, max=1, description="n_on_rhythm / n_people")
    on_rhythm_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of its 95 % interval (Wilson)")
    on_rhythm_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of it")
    n_held = _n("One-to-ones held with them in the time looked at")
    median_gap_days = dy.Float64(nullable=True, min=0, description="Median days between two with the same person")
    n_late_plans = _n("One-to-ones planned for a day gone by, neither held nor cancelled")
    reason = dy.String(nullable=True, description="Why it is not told; null where it is")


class Prompt(dy.Schema):
    """What to talk about, drawn from what a group answered, and questions to open with."""

    dimension = dy.String(primary_key=True, description="What it is about; other: questions of no dimension")
    why = dy.String(nullable=False, description="fell: since the wave before; low: among what was asked")
    wave = dy.String(nullable=False, description="The wave")
    cut = dy.String(nullable=False, description="Whose answers: company, region or team")
    group = dy.String(nullable=True, description="The group; null: the company")
    n_questions = dy.Int64(nullable=False, min=1, description="Questions told exactly")
    n = dy.Int64(nullable=False, min=1, description="Fewest scores given to one of them")
    favourable_share = dy.Float64(nullable=False, min=0, max=1, description="Mean of their favourable shares")
    moved = dy.Float64(
        nullable=True, min=-1, max=1, description="What they moved by since the wave before; null: not told"
    )
    questions_en = dy.List(dy.String(nullable=False), nullable=False, description="Questions to open with, in English")
    questions_fr = dy.List(dy.String(nullable=False), nullable=False, description="The same, in French")
