"""How something ends, and since when and until when a book believed a row."""

import dataframely as dy

#: Why a thing is no longer there: removed at the source, made one with another, or simply no longer told of.
END_REASONS = ["deleted", "merged", "vanished"]


def end_reason() -> dy.Enum:
    """The column that says why the last version of a thing ended; null while it lives, and on earlier versions."""
    return dy.Enum(END_REASONS, nullable=True, description="Why it is no longer there: deleted, merged or vanished")


def merged_into() -> dy.String:
    """The column that names what a thing was merged into at the source."""
    return dy.String(nullable=True, description="What it was merged into at the source")


class Believed(dy.Schema):
    """Since when and until when the book believed a row. Both are null for what was known as it began, and stands."""

    known_from = dy.Datetime(
        nullable=True, time_zone="UTC",
        description="When the book learned of it, if that was after it began: a correction of the past, a late entry",
    )  # fmt: skip
    known_to = dy.Datetime(
        nullable=True, time_zone="UTC", description="When a later import took it back; null while it is believed"
    )
