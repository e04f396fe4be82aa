"""What was promised, and how the answers it is to move have moved since: that is told, not why."""

import dataframely as dy


def _points(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=-200, max=200, description=description)


class Followed(dy.Schema):
    """One question that a promise is about: when it was promised, and last since."""

    promise_id = dy.String(nullable=False, description="The promise")
    question = dy.String(nullable=False, description="A question it is about")
    quantity = dy.String(nullable=True, description="enps, −100 to 100, or favourable_share, 0 to 100")
    first_wave = dy.String(nullable=True, description="The last wave released when it was promised")
    first_n = dy.Int64(nullable=True, min=0, description="Scores given in it")
    first = _points("The value then")
    first_low = _points("Lower end of its 95 % interval")
    first_high = _points("Upper end of it")
    last_wave = dy.String(nullable=True, description="The last wave released since; null: none yet")
    last_n = dy.Int64(nullable=True, min=0, description="Scores given in it")
    last = _points("The value now")
    last_low = _points("Lower end of its 95 % interval")
    last_high = _points("Upper end of it")
    moved = _points("last − first, points")
    moved_low = _points(
        "Lower end of its 95 % interval, as if other people had answered: too wide rather than too narrow"
    )
    moved_high = _points("Upper end of it")
    n_compared = dy.Int64(nullable=False, min=0, description="How many such moves are looked at")
    is_change = dy.Bool(
        nullable=True, description="Whether the interval, widened for how many are looked at, excludes 0"
    )
    reason = dy.String(nullable=True, description="Why nothing is told; null where it is")
