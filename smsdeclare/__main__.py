"""`python -m smsdeclare` is `smsdeclare`."""

from smsdeclare.cli.main import main

main()
