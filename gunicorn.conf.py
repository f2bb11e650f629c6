"""Settings for `gunicorn server:app`; they are those of `task-scheduler serve`."""

from scheduler.http.serving import gunicorn_settings

globals().update(gunicorn_settings())
