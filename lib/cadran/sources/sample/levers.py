"""What can be done differently in the invented company, to see what it truly changes."""

from dataclasses import dataclass
from datetime import date

from cadran.sources.sample.clock import START


@dataclass(frozen=True)
class Levers:
    """Changes to how the team works. As given, nothing is changed.

    Attributes:
        since: First day on which the levers are pulled: everything before it stays the same to the byte.
        response_time_factor: Multiplies the time to answer leads and clients (0.5: twice as fast).
        extra_contact: Two weeks into every deal, one more person at the client is brought in.
        senior_contact: Two weeks into every deal, a director or executive is brought in if none is.
        meeting_factor: Multiplies the share of touches that are meetings, instead of e-mails.
        ramp_factor: Multiplies the time new sellers need to become productive.
        training: False undoes the training of the Île-de-France region.
        price_increase: False undoes the price increase.
    """

    since: date = START
    response_time_factor: float = 1.0
    extra_contact: bool = False
    senior_contact: bool = False
    meeting_factor: float = 1.0
    ramp_factor: float = 1.0
    training: bool = True
    price_increase: bool = True
