"""The service's entry: `app` for gunicorn, `main` for `python server.py`. Importing it starts nothing."""

from scheduler.cli import main
from scheduler.http.app import create_app

app = create_app()

if __name__ == "__main__":
    main()
