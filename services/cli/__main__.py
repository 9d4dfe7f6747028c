"""`python -m services.cli` is `windlass`."""

from services.cli.app import main

main()
