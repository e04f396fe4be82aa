"""Who reads a book, and what of it is theirs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reader:
    """A person who reads. No regions and no teams means the whole company."""

    id: str
    role: str = "analyst"
    regions: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    language: str = "en"

    @property
    def is_limited(self) -> bool:
        """Whether they see a part of the company alone."""
        return bool(self.regions or self.teams)
