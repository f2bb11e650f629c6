"""Fixtures of this folder."""

from tests.owned_time import config, job, scheduler, time

__all__ = ["config", "job", "scheduler", "time"]
