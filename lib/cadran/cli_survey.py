"""The commands of a pulse survey before it opens: a file to begin from, and what is wrong with it."""

import typer

from cadran.terminal import reader_words

words = reader_words()
survey = typer.Typer(no_args_is_help=True)
