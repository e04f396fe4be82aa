"""The book's own numbers, beside the source's identifiers: small, dense, and the same in every version of a book."""

import polars as pl


class Numbers:
    """The numbers of one kind of thing. Those never seen get the next ones, in the order of their identifiers."""

    def __init__(self, kind: str, known: pl.DataFrame | None = None, following: int | None = None):
        """Number things of a kind.

        Args:
            kind: "rep", "account" or "opportunity".
            known: Numbers given before, with the columns `<kind>_id` and `<kind>_key`.
            following: The next number to give, if `known` does not hold all that were given.
        """
        self.id, self.key = f"{kind}_id", f"{kind}_key"
        self.known = pl.DataFrame(schema={self.id: pl.String, self.key: pl.Int64}) if known is None else known
        self.following = self.known.height if following is None else following

    def of(self, ids: pl.Series) -> pl.DataFrame:
        """The number of each distinct identifier, one row each; null has none."""
        asked = ids.drop_nulls().unique().alias(self.id).to_frame()
        # The smaller side is asked of the larger: a bucket's few thousand of all accounts there are.
        found = self.known.join(asked, on=self.id, how="semi") if self.known.height else self.known
        if found.height == asked.height:
            return found
        fresh = (asked.join(found, on=self.id, how="anti") if found.height else asked).sort(self.id)
        fresh = fresh.with_row_index(self.key, self.following).select(self.id, pl.col(self.key).cast(pl.Int64))
        self.following += fresh.height
        self.known = pl.concat([self.known, fresh])
        return pl.concat([found, fresh])

    def put(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` with the number beside its identifier."""
        return beside(frame, self.of(frame[self.id]), self.id)


def beside(frame: pl.DataFrame, other: pl.DataFrame, key: str) -> pl.DataFrame:
    """`frame` with what stands in `other`, where no `key` is null or stands twice, beside the text of its `key`.

    A left join in a third of the time: by a hash of the text, every match then compared.
    """
    hashed = pl.col(key).hash(0).alias("@hash")
    joined = frame.with_columns(hashed).join(
        other.select(hashed, pl.col(key).alias("@key"), pl.exclude(key)), on="@hash", how="left", maintain_order="left"
    )
    is_met = joined["@key"].is_not_null()
    if joined.height > frame.height or (joined[key].ne_missing(joined["@key"]) & is_met).any():  # two texts of one hash
        return frame.join(other, on=key, how="left", maintain_order="left")
    return joined.drop("@hash", "@key")
