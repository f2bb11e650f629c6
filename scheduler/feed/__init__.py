"""Tell any number of readers what happens to tasks and runs, from the ledger of events."""

from scheduler.feed.feed import Feed
from scheduler.feed.follower import Follower
from scheduler.feed.told import GAP, EventFilter, Told

__all__ = ["GAP", "EventFilter", "Feed", "Follower", "Told"]
