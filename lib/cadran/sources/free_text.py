"""Texts that people wrote, told from names and reasons: what they say of others must not enter a book."""

import polars as pl

#: Words of sentences, in French and English, which names of companies, products and reasons hardly ever hold.
_SAYING = (
    "je|j'ai|il|elle|nous|vous|ils|elles|est|sont|était|sera|suis|ont|avons|n'a|n'est|c'est|pas|peut|doit|veut|faut|"
    "I|I'm|we|he|she|they|you|it|is|are|was|were|has|have|had|will|would|not|don't|can't"
)
_SENTENCE = rf"(?:^|[^\p{{L}}'])(?:{_SAYING}|Je|J'ai|Il|Elle|Nous|Vous|On|We|He|She|They|It)(?:$|[^\p{{L}}'])"
#: Fewer sentences than this tell nothing of a column.
_ENOUGH = 10


def looks_free_text(texts: pl.Series, repeats: float | None = None) -> bool:
    """Whether a column holds notes, remarks or bodies of e-mails rather than names, codes or reasons.

    A sentence is a value of at least 5 words, one of which is a pronoun or a verb, or of at least 15 words. A column
    is free text if it holds at least 10 different sentences, they are at least a fifth of its different values, and
    hardly repeat: reasons that a list offers come back again and again, however long they are.

    Args:
        texts: The values of a column, or a sample of them. Nulls, and what is no text, say nothing.
        repeats: Rows for each different value, 1 and more, if `texts` are the different values only.
    """
    if texts.dtype != pl.String:
        return False
    said = texts.drop_nulls().alias("text").value_counts(name="n")
    n_words = pl.col("text").str.count_matches(r"\S+")
    straight = pl.col("text").str.replace_all("’", "'", literal=True)
    long = said.filter(n_words >= 5).filter((n_words >= 15) | straight.str.contains(_SENTENCE))
    if long.height < max(_ENOUGH, 0.2 * said.height):
        return False
    return (repeats or long["n"].sum() / long.height) <= 2
