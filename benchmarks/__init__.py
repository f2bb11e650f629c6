"""Measure what the scheduler promises about speed, each figure beside a peer or a limit taken in the same run.

`python -m benchmarks` runs all of it; nothing here asserts anything.
"""
