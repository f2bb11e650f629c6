"""Show what a schedule means, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from scheduler.cli.ending import refusal
from scheduler.cli.printing import print_json, with_json
from scheduler.cli.settings import read_settings
from scheduler.config import PREFIX
from scheduler.errors import SchedulerError
from scheduler.given_moments import read_moment
from scheduler.phrases import read_zone
from scheduler.previews import preview


@click.command(name="preview")
@click.argument("interval", metavar="WHEN")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many fire times.")
@click.option(
    "--timezone", envvar=f"{PREFIX}TIMEZONE", help="IANA zone. Default: the settings' zone. [SCHEDULER_TIMEZONE]"
)
@click.option("--after", help="ISO 8601 time that stands for the present.")
@with_json
def preview_command(interval: str, count: int, timezone: str | None, after: str | None, as_json: bool) -> None:
    """Show what a schedule means and when it fires; needs no server.

    WHEN is a phrase ("last friday of the month at 17:00"), a cron expression, or an ISO 8601 time.
    """
    try:
        zone = read_zone(timezone) if timezone else read_settings().zone
        answer = preview({"interval": interval}, zone, _moment(after, zone), count)
    except SchedulerError as error:
        raise refusal(error) from error
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['description']} ({answer['kind']}, {answer['timezone']})")
    for text in answer["next_runs"]:
        click.echo(text)
    if not answer["next_runs"]:
        click.echo("it never runs by itself")


def _moment(after: str | None, zone: ZoneInfo) -> datetime:
    now = datetime.now(UTC)
    if after is not None:
        return read_moment(after, "after", zone, now=now)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
