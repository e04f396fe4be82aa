"""What readers call the subjects of questions, what to do about them, and what may weigh on a team."""

from cadran.text import Words

#: What questions are about, where the library or a mapping that ships says it.
DIMENSIONS = {
    "workload": "Workload",
    "tools": "Tools",
    "data": "Data",
    "process": "Process",
    "pay": "Pay",
    "manager": "Manager",
    "recognition": "Recognition",
    "growth": "Growth at work",
    "clarity": "Clarity",
    "purpose": "Purpose",
    "belonging": "Belonging",
    "satisfaction": "Satisfaction",
    "other": "Other questions",
}
#: What to do about a question, by how favourable and how strong it is.
QUADRANTS = {"act": "Act first", "keep": "Keep", "watch": "Watch", "leave": "Leave as it is"}

#: What may weigh on a group -> how readers say it.
FACTORS = {
    "open_per_head": "Open deals per seller",
    "overdue_per_head": "Overdue deals per seller",
    "pushed_share": "Deals pushed to a later month",
    "after_hours_share": "Touches outside working hours",
    "missed_share": "Target missed",
    "on_rhythm_share": "One-to-ones held as agreed",
}


def subject(name: str, words: Words) -> str:
    """What a dimension, or a question that is of none, is called: those of others' surveys by their own name."""
    if name in DIMENSIONS:
        return words(DIMENSIONS[name])
    plain = name.replace("_", " ")
    return plain[:1].upper() + plain[1:]


def nothing_before(words: Words) -> str:
    """What is said where a wave has nothing to be compared with."""
    return words("No earlier wave asked the same and was told exactly: there is nothing to compare with yet.")
