"""Whom the revenue rests on, and how many clients the deals concern."""

from collections.abc import Sequence

import narwhals as nw

from cadran.measures.catalogue import Need, measure
from cadran.measures.counting import count, grouped, total
from cadran.tables.measured.clients import ClientConcentration, ClientsConcerned, ConcentrationIndex

_NEEDS = (Need("status"), Need("group_id", ("won",)), Need("amount", ("won",)))


def _ranked(deals: nw.LazyFrame, by: Sequence[str], *others: nw.Expr) -> nw.LazyFrame:
    """One row per group and client with a won deal: what it signed, its rank and shares, and `others`.

    Clients none of whose amounts is known, and the deals of unknown clients together, come last, with nothing signed.
    """
    no_client, no_amount = nw.col("group_id").is_null(), nw.col("amount").is_null()
    won = deals.filter(nw.col("status") == "won").with_columns(
        one=nw.lit(1), its_group=nw.col("group_id"),
        value=nw.when(~no_client).then(nw.col("amount")), no_client=no_client, no_amount=~no_client & no_amount,
    )  # fmt: skip
    clients = grouped(
        won,
        [*by, "one", "its_group"],
        count(~nw.col("value").is_null(), "n"),
        count(nw.col("no_client"), "n_no_client"),
        count(nw.col("no_amount"), "n_no_amount"),
        nw.col("value").sum().fill_null(0.0).alias("signed"),
        *others,
    ).with_columns(is_last=(nw.col("n") == 0).cast(nw.Int64), smallest_last=-nw.col("signed"))
    order, everyone = ["is_last", "smallest_last", "its_group"], [*by, "one"]
    summed = clients.with_columns(
        its_rank=nw.col("one").cum_sum().over(*everyone, order_by=order).cast(nw.Int64),
        so_far=nw.col("signed").cum_sum().over(*everyone, order_by=order),
        of_all=nw.col("signed").sum().over(*everyone),
    )
    of_all = nw.when(nw.col("of_all") > 0).then(nw.col("of_all"))
    return summed.with_columns(
        share=nw.col("signed") / of_all, share_so_far=nw.min_horizontal(nw.col("so_far") / of_all, nw.lit(1.0))
    )


@measure(
    title="Client concentration",
    definition=(
        "Clients (the parent group where it is known) by the revenue signed in the period, the largest first, each "
        "with its share and the share of all down to it. Won deals whose client or amount is unknown are not in it: "
        "the concentration index counts them."
    ),
    unit="reporting currency; share, 0 to 1",
    source="Lorenz (1905), Methods of measuring the concentration of wealth, Publications of the ASA 9(70)",
    returns=ClientConcentration,
    needs=(*_NEEDS, Need("account_id", ("won",)), Need("client", ("won",))),
    window="closed",
)
def client_concentration(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Clients by signed revenue, with shares that add up.

    Args:
        deals: One row per deal, from `Book.deals()`: status, amount, account_id, group_id, client, columns of `by`.
        by: Columns to group on. Empty ranks all clients together.

    Returns:
        One row per group and client with a won deal of known amount, sorted by `by` and rank, as
        `ClientConcentration` has it. Clients with equal revenue are ranked by identifier.
    """
    own_name = nw.when(nw.col("account_id") == nw.col("group_id")).then(nw.col("client"))
    ranked = _ranked(deals.with_columns(own_name=own_name), by, nw.col("own_name").max().alias("its_name"))
    columns = {
        "rank": nw.col("its_rank"), "group_id": nw.col("its_group"),
        "client": nw.coalesce(nw.col("its_name"), nw.col("its_group")),
        "n_won": nw.col("n"), "revenue": nw.col("signed"),
        "revenue_share": nw.col("share"), "cumulative_share": nw.col("share_so_far"),
    }  # fmt: skip
    others = {name: column for name, column in columns.items() if name not in by}
    return ranked.filter(nw.col("n") > 0).sort(*by, "its_rank").select(*by, **others)


@measure(
    title="Concentration index",
    definition=(
        "Share of the revenue signed in the period that the largest clients bring (10 unless said), and the Herfindahl "
        "index: the sum of the squared shares, 1 when one client brings all. A client is the parent group where it is "
        "known; won deals whose client or amount is unknown are counted apart."
    ),
    unit="share, 0 to 1; index, 0 to 1; clients",
    source="Hirschman (1964), The paternity of an index, American Economic Review 54(5)",
    returns=ConcentrationIndex,
    needs=_NEEDS,
    window="closed",
)
def concentration_index(deals: nw.LazyFrame, by: Sequence[str] = (), *, top: int = 10) -> nw.LazyFrame:
    """How much of the signed revenue rests on few clients.

    Args:
        deals: One row per deal, from `Book.deals()`: status, amount, group_id and the columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.
        top: How many of the largest clients `top_share` is of.

    Returns:
        One row per group with a won deal, sorted by `by`, as `ConcentrationIndex` has it.
    """
    is_top = nw.col("its_rank") <= top
    counted = grouped(
        _ranked(deals, by).with_columns(square=nw.col("share") * nw.col("share")),
        by,
        count(nw.col("n") > 0, "n_clients"),
        *(
            nw.col(old).sum().cast(nw.Int64).alias(new)
            for old, new in {"n": "n_won", "n_no_client": "n_unknown_client", "n_no_amount": "n_unknown_amount"}.items()
        ),
        nw.col("signed").sum().alias("revenue"),
        total(is_top, "share", "top_share"),
        total(nw.lit(True), "square", "herfindahl"),
    )
    has_revenue = nw.col("revenue") > 0
    indices = counted.filter(nw.col("n_won") + nw.col("n_unknown_client") + nw.col("n_unknown_amount") > 0)
    indices = indices.with_columns(
        top=nw.lit(top).cast(nw.Int64),
        top_share=nw.when(has_revenue).then(nw.min_horizontal(nw.col("top_share"), nw.lit(1.0))),
        herfindahl=nw.when(has_revenue).then(nw.col("herfindahl")),
    )
    return indices.with_columns(n_effective_clients=1 / nw.col("herfindahl")).select(
        *by, *ConcentrationIndex.column_names()
    )


@measure(
    title="Clients concerned",
    definition=(
        "Distinct clients with a deal open at the as-of date, or won or lost in the period. A client with several "
        "counts once in each, and once in all. Deals whose client is unknown are counted apart."
    ),
    unit="clients",
    source="Definition",
    returns=ClientsConcerned,
    needs=(Need("status"), Need("account_id")),
    window="standing",
)
def clients_concerned(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """How many distinct clients the open, won and lost deals concern.

    Args:
        deals: One row per deal, from `Book.deals()`: status, account_id and the columns of `by`.
        by: Columns to group on, such as sector or country. Empty gives one row for all deals.

    Returns:
        One row per group, sorted by `by`, as `ClientsConcerned` has it. A client whose deals fall into several
        groups counts in each of them.
    """
    statuses = ("open", "won", "lost")
    concerned = deals.with_columns(
        its_client=nw.col("account_id"),
        of_nobody=nw.col("account_id").is_null(),
        **{f"is_{name}": nw.col("status") == name for name in statuses},
    )
    sums = [count(nw.col(f"is_{name}"), f"n_{name}") for name in statuses]
    per_client = grouped(concerned, [*by, "its_client", "of_nobody"], *sums)
    n_deals, is_client = nw.col("n_open") + nw.col("n_won") + nw.col("n_lost"), ~nw.col("of_nobody")
    return grouped(
        per_client,
        by,
        count(is_client & (n_deals > 0), "n_clients"),
        *(count(is_client & (nw.col(f"n_{name}") > 0), f"n_clients_{name}") for name in statuses),
        nw.when(~is_client).then(n_deals).sum().fill_null(0).cast(nw.Int64).alias("n_unknown"),
    )
