"""What is said of rows of survey results that cannot be taken, and of those that are taken with a remark."""

#: Rules of our own for survey results: what is broken, and the repair.
OF_RESULTS = {
    "wave": ("every answer belongs to a wave", "Fill its wave or its date at the source."),
    "question": (
        "every answer is to a question of the mapping",
        "Write its wording under `named` of the question it is; or leave its rows out with `only`.",
    ),
    "off_scale": (
        "a score is a whole number on the scale of its question",
        "Correct it; if it means that the question does not apply, write it under `not_applicable` of the question.",
    ),
    "no_score": (
        "an answer is a score, or a word that the mapping gives one",
        "Say what the word means with `scores` or `not_applicable` of the question.",
    ),
    "no_option": (
        "a choice is one of the options of its question",
        "Add it to `labels` of the question, or say with `values` which option it is.",
    ),
    "respondent": (
        "every row names its respondent",
        "Fill it at the source; or leave `respondent` out of the mapping.",
    ),
    "answer_differs": (
        "rows of one `answer_id` are the same",
        "Keep the right one: all that differ are set aside, for nothing tells which is right.",
    ),
    "answered_again": (
        "a respondent gives an answer once in a wave",
        "Remove the copy; the first one is kept. If identifiers recur, in several companies say, write "
        'respondent = ["COMPANY", "ID"] in the mapping.',
    ),
    "answered_twice": (
        "a respondent answers a question once in a wave",
        "Keep the right answer: all that differ are set aside. If identifiers recur, in several companies say, write "
        'respondent = ["COMPANY", "ID"] in the mapping.',
    ),
    "in_two_groups": (
        "a respondent is in one group of each cut in a wave",
        "Keep the group they were in when the wave opened. If identifiers recur, in several companies say, write "
        'respondent = ["COMPANY", "ID"] in the mapping.',
    ),
}

#: Why rows are left out: neither accepted nor set aside, and nothing of them is kept.
BLANK = "left out: no answer was given"
NOT_CLOSED = "left out: their wave had not closed when the data was taken"
PURGED = "left out: their wave was purged, and stays so"
#: What is taken with a remark.
NOT_APPLICABLE = "not applicable: counted, and never a score"
WORDINGS = "the wordings of `{question}` were taken as one question"
NEVER_ASKED = "the question `{question}` stands nowhere in this file"
NO_BALLOTS = "nothing tells which answers are one person's: no drivers, no reliability"
NO_COPIES = "nothing tells a copy from an answer like it: copies were not looked for"
#: As a reader is told them; `{field}` is the question.
REMARKS = (
    BLANK, NOT_CLOSED, PURGED, NOT_APPLICABLE, WORDINGS.replace("{question}", "{field}"),
    NEVER_ASKED.replace("{question}", "{field}"), NO_BALLOTS, NO_COPIES,
)  # fmt: skip
