"""The commands that plan a sales team: each in a file of its own."""

import typer

plan = typer.Typer(no_args_is_help=True)
