"""`python -m soinbox_web.workers` is the mailroom."""

from soinbox_web.workers.mailroom import main

main()
