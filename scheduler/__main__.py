"""Run the command: `python -m scheduler` is `task-scheduler`."""

from scheduler.cli import main

main()
