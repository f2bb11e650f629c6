"""Choose by the settings how runs are confined."""

from __future__ import annotations

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, Problem
from tasks.sandbox import AllowedDirs, Confinement, ConfinementError, make_confinement


def confine(config: SchedulerConfig) -> Confinement:
    """Return how runs are confined; raise `InvalidRequest` where settings contradict one another."""
    try:
        return make_confinement(
            config.sandbox,
            AllowedDirs(config.allowed_dirs, config.function_packages),
            config.read_dirs,
            config.network,
            config.task_user,
            config.state_dir,
        )
    except ConfinementError as error:
        raise InvalidRequest([Problem("SCHEDULER_DATA_DIR", str(error))]) from error
