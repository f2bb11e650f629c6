"""Settings for `gunicorn server:app`; they are those of `task-scheduler serve`."""

import sys

from scheduler.errors import SchedulerError
from scheduler.http.serving import gunicorn_settings

try:
    globals().update(gunicorn_settings())
except SchedulerError as error:
    print(f"task-scheduler: {error.message}", file=sys.stderr)
    sys.exit(2)
