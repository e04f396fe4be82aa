"""What readers call the subjects of questions, what to do about them, and what may weigh on a team."""

#: What questions are about, where the library that ships says it.
DIMENSIONS = {
    "workload": "Workload",
    "tools": "Tools",
    "data": "Data",
    "process": "Process",
    "pay": "Pay",
    "manager": "Manager",
    "recognition": "Recognition",
    "growth": "Growth at work",
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
