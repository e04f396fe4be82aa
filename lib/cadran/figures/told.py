"""The text alternative of a figure: what the picture says, for those who listen to the page."""

from dataclasses import replace

from cadran.figures.blocks import Block
from cadran.figures.columns import plain_rows
from cadran.figures.figure import Figure


def with_finding(block: Block | Figure) -> Block | Figure:
    """The figure with its text alternative: title, subtitle, and its first rows in words."""
    if not isinstance(block, Figure):
        return block
    rows = plain_rows(block.frame.head(12), block.words, block.currency)
    return replace(block, finding=f"{block.title}. {block.subtitle}. {rows}")


def heard(block: Block | Figure, who: str, said: str) -> Block | Figure:
    """The same where what is said of each row stands in a column: whose it is, and that."""
    if not isinstance(block, Figure):
        return block
    words = block.words
    rows = block.frame.head(60).select(who, said).rows()
    told = "; ".join(f"{words.value(of)}{words(': ')}{text}" for of, text in rows if text)
    return replace(block, finding=f"{block.title}. {block.subtitle}. {told}")
