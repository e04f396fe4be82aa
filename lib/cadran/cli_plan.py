"""The commands that plan a sales team: each in a file of its own."""

import typer

from cadran.cli_coaching import coaching
from cadran.cli_plan_hires import hires
from cadran.cli_plan_pay import pay
from cadran.cli_plan_territories import territories
from cadran.terminal import reader_words

words = reader_words()
plan = typer.Typer(no_args_is_help=True)
plan.command("hires", help=words("Say when a region runs short of sellers, by when to hire, how many and where."))(
    hires
)
plan.command(
    "pay", help=words("Pay a plan on what was won, line by line; compare it with another, and say what it may cost.")
)(pay)
plan.command(
    "territories",
    help=words("Say how evenly accounts are shared among sellers, and which few moves would even it out."),
)(territories)
plan.command(
    "coaching",
    help=words("Say where groups of sellers do otherwise than like deals elsewhere, and where help would pay."),
)(coaching)
