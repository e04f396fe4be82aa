"""Who reads a book, and what of it is theirs."""

from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import narwhals as nw

SELLER, PAY = "seller", "pay"
#: What each role may be told of what its scope holds. `deals`; `load`: how much one person has to do; `ratings`: how well
#: one person does, and `pay`: what one person is paid, both only where that is open (`cadran.book.individual`); `groups`:
#: what is told of the company, its regions and teams by plans and models.
RIGHTS: dict[str, frozenset[str]] = {
    "analyst": frozenset({"deals", "load", "ratings", "pay", "groups"}),
    "manager": frozenset({"deals", "load", "ratings", "groups"}),
    "people": frozenset({"deals", "groups"}),
    SELLER: frozenset({"deals", "load", "ratings", "pay"}),
    PAY: frozenset({"pay"}),
    "presenter": frozenset({"deals", "groups"}),
}
#: Of a role that is none of these: no person.
_LEAST = frozenset({"deals", "groups"})


@dataclass(frozen=True)
class Reader:
    """A person who reads. No regions, no teams and no persons means the whole company, but for a seller, to whom it means
    nothing."""

    id: str
    role: str = "analyst"
    regions: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    language: str = "en"
    #: Identifiers of the sellers whose own deals these are: a seller's are those they go by.
    persons: frozenset[str] = frozenset()

    @property
    def is_limited(self) -> bool:
        """Whether they see a part of the company's sellers alone."""
        return bool(self.role == SELLER or self.regions or self.teams or self.persons)

    @property
    def nobody(self) -> "Reader":
        """Somebody of that role and scope whom nobody is: what is worked out for them is every such reader's."""
        return replace(self, id="", language="en")

    @property
    def rights(self) -> frozenset[str]:
        """What their role is told of, within their scope: words of `RIGHTS`."""
        return RIGHTS.get(self.role, _LEAST)

    def may(self, what: str) -> bool:
        """Whether their role is told of what stands in `RIGHTS`, within their scope."""
        return what in self.rights

    def has(self) -> nw.Expr:
        """Whether a seller is one of theirs, from `region`, `team` and `rep_id` as they are at a moment. Of a limited reader."""
        named = zip(("region", "team", "rep_id"), (self.regions, self.teams, self.persons), strict=True)
        said = [(name, each) for name, each in named if each] or [("rep_id", frozenset[str]())]
        return reduce(or_, [nw.col(name).is_in(sorted(each)).fill_null(False) for name, each in said])
