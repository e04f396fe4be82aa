"""When a browser was last on the home page, and of what day the data was: kept by the browser alone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from cadran.book.reader import Reader

#: A visit goes on until nobody has looked for so long.
LASTS = timedelta(hours=2)
#: How long a browser remembers.
KEPT = timedelta(days=400)


@dataclass(frozen=True)
class Visit:
    """The visit that goes on, or the last one."""

    #: When the home page was looked at last.
    at: datetime
    #: The day of the data that was shown then.
    day: date
    #: The day of the data at the visit before; null: there was none.
    before: date | None

    @classmethod
    def read(cls, kept: str) -> "Visit | None":
        """What a browser kept; nothing if it kept none, or something else."""
        try:
            at, day, before = kept.split(".")
            return cls(
                datetime.fromtimestamp(int(at), UTC),
                date.fromisoformat(day),
                date.fromisoformat(before) if before else None,
            )
        except (ValueError, OverflowError, OSError):
            return None

    def __str__(self) -> str:
        return f"{int(self.at.timestamp())}.{self.day}.{self.before or ''}"

    def after(self, last: "Visit | None") -> "Visit":
        """This look, after the one before: the same visit if that is not long ago and of the same data."""
        if last is None:
            return self
        goes_on = self.at - last.at < LASTS and last.day == self.day
        return Visit(self.at, self.day, last.before if goes_on else last.day)


def cookie_of(reader: Reader | None) -> str:
    """Under what name a browser keeps it: apart for each who signs in with it."""
    return "cadran-seen" + (f"-{sha256(reader.id.encode()).hexdigest()[:12]}" if reader else "")
