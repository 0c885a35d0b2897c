"""`smsdeclare completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smsdeclare.cli.session import Explained, Session, shared_options

if TYPE_CHECKING:
    from typing import Literal


@click.command(
    cls=Explained,
    examples="""
        # Put what it prints where your shell looks for it
        smsdeclare completion bash
        smsdeclare completion zsh
        smsdeclare completion fish
    """,
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
@shared_options
def command(session: Session, shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print the script that lets a shell complete commands, options, and the addresses of a project's messages.

    For this shell alone: `source <(smsdeclare completion bash)`. For every new one put that line into ~/.bashrc, or
    `source <(smsdeclare completion zsh)` into ~/.zshrc behind `compinit`, or the script itself into
    ~/.config/fish/completions/smsdeclare.fish.
    """
    from smsdeclare.cli.completing import script  # noqa: PLC0415 - only here

    session.out(script(shell))
