"""What was known of many deals, each at a moment of its own: the facts that a model of their fate is made of."""

from dataclasses import replace

import narwhals as nw
import polars as pl

from cadran.book.book import Book
from cadran.book.dealings import people, touches
from cadran.book.engines import POLARS
from cadran.book.known import followed_since
from cadran.book.moments import EVER, beside, collect, latest, rows
from cadran.book.whole import whole_of
from cadran.tables.deals import CLOSED
from cadran.tables.problems import Problem

_GROUPS = {
    "deal": "deal_type product lead_source amount amount_change forecast_category age_days",
    "client": "sector segment account_region country employees annual_revenue n_won_before n_lost_before",
    "organisation": "region team",
    "stage": "stage stage_position stage_probability stage_days n_pushes n_reopened n_back days_to_expected",
    "people": "n_contacts n_functions has_senior has_decision_maker",
    "rival": "competitor",
    "activity": (
        "n_inbound_30 n_outbound_30 n_meetings_30 n_meetings n_touches days_since_inbound days_since_outbound "
        "days_since_meeting"
    ),
    "response": "n_asked n_asked_90 waited_90 mean_log_wait waiting_hours share_in_a_day",
}
#: Each fact, and the group it belongs to. The seller is none of them.
FACTS: dict[str, str] = {name: group for group, names in _GROUPS.items() for name in names.split()}
#: Facts worked out of a field of deals: where that is known only from the close, so are they.
_OUT_OF = {"amount_change": "amount", "days_to_expected": "expected_close_date"}
_DEAL = "opportunity_key"
_AT = pl.col("at")
_OF_VERSION = (
    _DEAL, "opportunity_id", "valid_from", "valid_to", "rep_key", "account_key", "stage", "status", "amount",
    "expected_close_date", "forecast_category", "competitor", "stage_since", "next_stage", "n_pushes", "n_reopened",
)  # fmt: skip
_OF_ACCOUNT = {
    "sector": "sector", "segment": "segment", "account_region": "region", "country": "country",
    "employees": "employees", "annual_revenue": "annual_revenue", "parent": "parent_account_id",
}  # fmt: skip


def open_pairs(book: Book) -> pl.DataFrame:
    """The deals that are open at the book's moment, within its reader's scope, each with that moment.

    Returns:
        `opportunity_key`, by which it is sorted, and `at`, as `facts_at` takes them.
    """
    deals = book.collect(book.deals([_DEAL, "status"]))
    is_open = pl.col("status").cast(pl.String) == "open"
    at = pl.lit(book.moment).cast(pl.Datetime("us", "UTC"))
    return deals.filter(is_open).select(pl.col(_DEAL).cast(pl.Int64), at=at).sort(_DEAL)


def facts_at(book: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    """What was known of each deal at each moment, never later: what `book.as_of(at)` tells, of all moments at once.

    Corrections and late entries are told as they were believed at each moment, or as they are now if the book is
    corrected. Client, team and region are those of the moment, of a deal closed before it too. A reader's scope is
    that of each moment; only the account's history is the whole company's. Read by polars, whatever the book's engine.
    What the book never tells of anybody (touches, contacts, a contact's function, …) is null until the first time it
    does. So is a deal's way through the stages where the book did not see all of it.

    Args:
        book: A view of a book.
        pairs: `opportunity_key` (Int64) and `at` (Datetime, UTC), one row per question, in any order.

    Returns:
        One row per row of `pairs`, in its order: `opportunity_key`, `opportunity_id`, `at`, and each of `FACTS`;
        amounts in the reporting currency, days and hours as Float64. All null but the pair where the deal was not
        there at that moment, or not in scope.
        `amount_change` is the amount by the first known one, less 1. `n_won_before` and `n_lost_before` count the
        other deals, closed by then, of the accounts that were then in the same parent group. `n_back` counts moves
        to an earlier open stage. `days_to_expected` are whole days in the book's time zone, negative when overdue.
        `n_…_30` are of the last 30 days. Waits (`n_asked` of them) are those of the measure `response_time`:
        `mean_log_wait` is the mean of log(1 + hours), the wait in course with its hours so far; `waiting_hours` that
        wait's, null while nobody waits; `share_in_a_day` of those begun 24 hours before or more.

    Raises:
        Problem: If a moment is later than the book's, or lies before what a purge kept.
    """
    pairs = pairs.select(pl.col(_DEAL).cast(pl.Int64), _AT.cast(pl.Datetime("us", "UTC")))
    _check(book, pairs)
    if book.engine is not POLARS:
        book = replace(book, engine=POLARS)
    asked = pairs.with_row_index("row")
    seen = _deals(book, asked)
    points = seen.select("row", _DEAL, "at")
    for facts in (people(book, points), touches(book, points)):
        seen = seen.join(facts, on="row", how="left")
    late = {name for name in FACTS if _OUT_OF.get(name, name) in book.settings.known_at_close}
    is_closed = pl.col("status").is_in(CLOSED)
    seen = seen.with_columns(pl.when(is_closed).then(name).alias(name) for name in late)
    joined = asked.join(seen.drop(_DEAL, "at"), on="row", how="left", maintain_order="left")
    return joined.select(_DEAL, "opportunity_id", "at", *FACTS)


def _check(book: Book, pairs: pl.DataFrame) -> None:
    first, last = pairs.select(_AT.min().alias("first"), _AT.max().alias("last")).row(0)
    if last is not None and last > book.moment:
        raise Problem(
            "Facts of {asked:%Y-%m-%d} are asked of a book as of {moment:%Y-%m-%d}.",
            "Ask for moments up to that of the book, or open a later view of it.", asked=last, moment=book.moment,
        )  # fmt: skip
    if first is not None:
        book.as_of(first)  # refuses what was purged


def _deals(book: Book, asked: pl.DataFrame) -> pl.DataFrame:
    """The deals that were there, and in scope: `row`, the pair, `status`, and the facts of the deal's own tables."""
    told = rows(book, "versions", *_OF_VERSION).with_columns(pl.col("status", "forecast_category").cast(pl.String))
    past = beside(asked, told, _DEAL, "valid_from")
    seen = past.filter(pl.col("valid_to").is_null() | (pl.col("valid_to") > _AT))
    seen = seen.join(_unchanging(book, seen.select("row", _DEAL, "at")), on="row")
    reps = rows(book, "reps", "rep_key", "rep_id", "valid_from", "region", "team")
    seen = seen.join(latest(seen, reps, "rep_key"), on="row", how="left")
    if book.reader is not None and book.reader.is_limited:
        seen = nw.from_native(seen).filter(book.reader.has()).to_native()
    seen = seen.join(_clients(book, seen), on="row", how="left")
    stages = collect(rows(book, "stages", "stage", "position", "kind", "probability"))
    seen = seen.join(_way(past, stages), on="row", how="left")
    positions = stages.select("stage", stage_position="position", stage_probability="probability")
    seen = seen.join(positions, on="stage", how="left")
    followed = followed_since(book)
    is_followed = pl.lit(True) if followed is None else pl.col("began") >= followed
    came_in_sight = pl.lit(True) if followed is None else pl.col("stage_since") >= followed
    local_day = _AT.dt.convert_time_zone(book.settings.time_zone).dt.date()
    return seen.with_columns(
        pl.when(is_followed).then(name).alias(name) for name in ("n_pushes", "n_reopened", "n_back", "amount_change")
    ).with_columns(
        age_days=_days_since("created_at").clip(0),
        stage_days=pl.when(came_in_sight).then(_days_since("stage_since")),
        days_to_expected=(pl.col("expected_close_date") - local_day).dt.total_days().cast(pl.Float64),
    )


def _days_since(instant: str) -> pl.Expr:
    return (_AT - pl.col(instant)).dt.total_microseconds() / 86_400_000_000


def _unchanging(book: Book, asked: pl.DataFrame) -> pl.DataFrame:
    """What never changes about deals. One that vanished was there before, with the facts last believed."""
    names = ("deal_type", "product", "lead_source", "created_at")
    keys = asked.select(pl.col(_DEAL).unique()).lazy()
    stored: pl.LazyFrame = book._stored("opportunities").to_native()
    told = collect(stored.select(_DEAL, *names, "known_from", "known_to").join(keys, on=_DEAL, how="semi"))
    found = asked.join(told, on=_DEAL)
    ended = pl.col("known_to")
    if not book.corrected:
        found = found.filter(pl.col("known_from").is_null() | (pl.col("known_from") <= _AT))
        ended = pl.when(ended <= _AT).then(ended)
    last = found.with_columns(ended=ended).sort("row", "ended", nulls_last=True).unique("row", keep="last")
    return last.select("row", pl.col("deal_type").cast(pl.String), *names[1:])


def _way(past: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """What befell each deal so far, from its versions: `row`, `began`, `n_back` and `amount_change`."""
    order = dict(stages.select("stage", "position").iter_rows())
    open_order = dict(stages.filter(pl.col("kind").cast(pl.String) == "open").select("stage", "position").iter_rows())
    place = pl.col("stage").replace_strict(order, default=None, return_dtype=pl.Int64)
    next_place = pl.col("next_stage").replace_strict(open_order, default=None, return_dtype=pl.Int64)
    is_back = (pl.col("status") == "open") & (pl.col("valid_to") <= _AT) & (next_place < place)
    amount = pl.col("amount")
    first, last = amount.drop_nulls().first(), amount.last()
    narrow = past.select("row", "valid_from", "amount", is_back=is_back.fill_null(False)).sort("row", "valid_from")
    return narrow.group_by("row").agg(
        began=pl.col("valid_from").min(),
        n_back=pl.col("is_back").sum().cast(pl.Int64),
        amount_change=pl.when(first > 0).then(last / first - 1),
    )  # fmt: skip


def _clients(book: Book, seen: pl.DataFrame) -> pl.DataFrame:
    """`row`, what was told of the client then, and how its group's other deals had ended, whosever they were."""
    book = whole_of(book, __name__)
    accounts = rows(book, "accounts", "account_key", "valid_from", *dict.fromkeys(_OF_ACCOUNT.values()))
    ids = collect(book._accounts().to_native().select("account_key", "account_id"))
    told = latest(seen, accounts, "account_key").select("row", **{new: pl.col(c) for new, c in _OF_ACCOUNT.items()})
    clients = seen.select("row", "at", "account_key", "status").join(told, on="row", how="left")
    clients = clients.join(ids, on="account_key", how="left").with_columns(group=pl.coalesce("parent", "account_id"))
    closed = _closed(book, ids).lazy()
    counted = clients.sort("at").join_asof(
        collect(closed), on="at", by="group", strategy="backward", check_sortedness=False
    )  # fmt: skip
    has_group = pl.col("group").is_not_null()
    return counted.with_columns(
        pl.when(has_group).then(pl.col(name).fill_null(0) - (pl.col("status") == status).cast(pl.Int64)).alias(name)
        for name, status in (("n_won_before", "won"), ("n_lost_before", "lost"))
    ).drop("at", "account_key", "status", "parent", "account_id", "group")


def _closed(book: Book, ids: pl.DataFrame) -> pl.DataFrame:
    """How many deals of each group of accounts stood won, and lost, from each instant at which that changed.

    Returns:
        `group`, `at`, `n_won_before` and `n_lost_before`, sorted by instant.
    """
    ended = pl.col("status").cast(pl.String)
    deals = rows(book, "versions", "account_key", "status", "valid_from", "valid_to").filter(
        ended.is_in(["won", "lost"]), pl.col("account_key").is_not_null()
    )
    spans = _spans(collect(_in_force(deals)), _groups(book, ids))
    n_won, n_lost = ((ended == status).cast(pl.Int64) for status in ("won", "lost"))
    begun = spans.select("group", at="since", n_won_before=n_won, n_lost_before=n_lost)
    over = spans.filter(pl.col("until").is_not_null()).select(
        "group", at="until", n_won_before=-n_won, n_lost_before=-n_lost
    )
    counts = pl.col("n_won_before", "n_lost_before")
    changes = pl.concat([begun, over]).group_by("group", "at").agg(counts.sum()).sort("group", "at")
    return changes.with_columns(counts.cum_sum().over("group")).sort("at")


def _in_force(found: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with `since` and `until`: while they were both true and believed."""
    begins = [name for name in ("valid_from", "known_from") if name in found.collect_schema()]
    ends = [name.replace("from", "to") for name in begins]
    spans = found.with_columns(since=pl.max_horizontal(begins), until=pl.min_horizontal(ends))
    return spans.filter(pl.col("until").is_null() | (pl.col("until") > pl.col("since"))).drop(
        "valid_from", "valid_to", "known_from", "known_to", strict=False
    )


def _groups(book: Book, ids: pl.DataFrame) -> pl.DataFrame:
    """To which group each account belonged, as believed then: `account_key`, `group`, `from`, and `to` (null: still)."""
    told = rows(book, "accounts", "account_key", "valid_from", "parent_account_id")
    with_parent = told.filter(pl.col("parent_account_id").is_not_null()).select("account_key").unique()
    told = told.join(with_parent, on="account_key", how="semi")
    turns = [name for name in ("valid_from", "known_from", "known_to") if name in told.collect_schema()]
    changes = [collect(told.select("account_key", at=name)).drop_nulls() for name in turns]
    points = pl.concat([ids.select("account_key", at=EVER), *changes]).unique().sort("account_key", "at")
    points = points.with_row_index("row")
    groups = points.join(latest(points, told, "account_key"), on="row", how="left", maintain_order="left")
    return groups.join(ids, on="account_key", maintain_order="left").select(
        "account_key",
        pl.coalesce("parent_account_id", "account_id").alias("group"),
        pl.col("at").alias("from"),
        pl.col("at").shift(-1).over("account_key").alias("to"),
    )


def _spans(deals: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Closed deals while their account was in one group: a row for each group it was in, with `since` and `until`."""
    joined = deals.join(groups, on="account_key").with_columns(
        since=pl.max_horizontal("since", "from"), until=pl.min_horizontal("until", "to")
    )
    return joined.filter(pl.col("until").is_null() | (pl.col("until") > pl.col("since")))
