"""Write docs/phrases.md: `python -m scheduler.phrases > docs/phrases.md`."""

from scheduler.phrases.guide import write_guide

print(write_guide(), end="")
