"""Hold every setting, its default and its meaning.

A setting `max_workers` is read from the environment as `SCHEDULER_MAX_WORKERS`; options of the
command line beat the environment, the environment beats the configuration file, the file beats the defaults.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import tzlocal
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from scheduler.alerts import Notify, Target, is_name, read_target
from scheduler.config_file import ConfigFile, open_config_file
from scheduler.directories import absolute, check_data_dir, check_users_file, default_data_dir, resolved
from scheduler.errors import InvalidRequest, Problem, ProblemFound, explain, nearest
from scheduler.host_names import ListenHost, RequestHost
from scheduler.job_defaults import read_job_defaults
from scheduler.namespaces import DEFAULT, file_of
from scheduler.phrases import read_zone
from scheduler.smtp_url import SmtpServer, read_smtp_url
from scheduler.user_numbers import TaskUser

PREFIX = "SCHEDULER_"
CONFIG = "config"
"""What names the configuration file: an option, or a variable; no setting, for it cannot stand in the file itself."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_LONGEST_SECONDS = 31 * 86400
"""The longest that a run may take, and be waited for at a stop."""
_MOST_KEPT = 10**12
"""More rows than any database here holds, and a number that each of them takes."""

# What a run is told about itself carries the same prefix: a server started inside a run is not confused by it.
_TOLD_TO_RUNS = {"TASK_ID", "RUN_ID", "SCHEDULED_FOR", "ATTEMPT"}
_FOR_CALLERS = {"URL", "USER", "PASSWORD"}
"""What the command takes to find a server, and to log in there."""


def _split(separator: str | None) -> BeforeValidator:
    def split(value: Any) -> Any:
        return [part for part in value.split(separator) if part.strip()] if isinstance(value, str) else value

    return BeforeValidator(split)


def _package(name: str) -> str:
    if not name.strip().isidentifier():
        raise ValueError(f"'{name}' is no package: write the name that is imported, without dots")
    return name.strip()


Package = Annotated[str, AfterValidator(_package)]


def _read_object(value: Any) -> Any:
    """Take an object as it is, or as the text that the environment has for it."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:  # the text of the error, or the value, may hold what is secret
        raise ValueError("must be a JSON object") from None


class Rate(BaseModel):
    """A number of requests in a span of seconds."""

    model_config = ConfigDict(frozen=True)
    requests: int
    seconds: float


_RATE = re.compile(r"(\d+)\s*/\s*(second|minute|hour)", re.IGNORECASE)
_SPANS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class SchedulerConfig(BaseModel):
    """The settings of one scheduler.

    A server's are made by `from_environment`, which raises `InvalidRequest` naming each setting that is wrong. A
    program makes its own: without `data_dir` and `database_url` all that is kept lasts as long as its scheduler.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: ListenHost = Field("127.0.0.1", description="Address to listen on. Off loopback a token is required.")
    port: int = Field(10800, ge=0, le=65535, description="Port to listen on.")
    token: SecretStr | None = Field(
        None,
        description="What `Authorization: Bearer ...` must carry. Off loopback one is made at first start, "
        "kept in the data directory (mode 0600) and shown once.",
    )
    users: Annotated[tuple[str, ...], _split(None)] = Field(
        (),
        repr=False,
        description="Users who may log in: NAME:SCOPE[,SCOPE]:ARGON2ID-HASH, with blanks or line breaks between them.",
    )
    users_file: Path | None = Field(
        None,
        description="File of such lines, mode 0600, out of the reach of tasks. Default: `users` in the data directory, "
        "where there is one.",
    )
    allowed_hosts: Annotated[tuple[RequestHost, ...], _split(",")] = Field(
        (), description="Further Host names that requests may carry, separated by commas."
    )
    allowed_dirs: Annotated[tuple[Path, ...], _split(":")] = Field(
        default_factory=lambda: (Path.cwd(),),
        description="Directories, separated by colons, that tasks may name and use; the first is their "
        "working directory. Default: the directory the server was started in.",
    )
    data_dir: Path | None = Field(
        None,
        description="Database, run logs and token; outside every allowed directory. "
        "Default: ~/.local/state/task-scheduler.",
    )
    database_url: str | None = Field(
        None,
        repr=False,  # it may hold a password
        description="URL of the database: sqlite:////path, or postgresql://user@host/database for several machines. "
        "Default: SQLite in the data directory.",
    )
    namespace: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Whose tasks these are: programs that share a database see their own alone. Default: `default`.",
    )
    max_workers: int = Field(
        default_factory=lambda: max(4, 2 * (os.cpu_count() or 1)),
        validation_alias=AliasChoices("max_workers", "max_concurrent_jobs"),
        ge=1,
        le=1000,
        description="Runs at a time. Default: twice the cores, at least 4.",
    )
    autostart: bool = Field(False, description="Start scheduling on the first boot, without `start`.")
    timezone: str = Field(
        default_factory=lambda: str(tzlocal.get_localzone_name()),
        description="IANA zone of phrases that name none. Default: the machine's.",
    )
    rate_limit: str = Field("100/second", description="Requests a client may make; `off` turns it off.")
    max_tasks: int = Field(100_000, ge=1, description="Tasks kept at most; one more is refused with 429.")
    max_queued: int = Field(10_000, ge=1, description="Runs waiting at most; one more is refused with 429.")
    sandbox: Literal["auto", "require", "off"] = Field(
        "auto",
        description="How runs are confined: `auto`, the strongest that the kernel offers; `require`, no run without "
        "Landlock; `off`.",
    )
    read_dirs: Annotated[tuple[Path, ...], _split(":")] = Field(
        (), description="Further directories, separated by colons, that runs may read."
    )
    network: Literal["all", "tcp", "none"] = Field(
        "all", description="What runs may use of the network: `all` (TCP and UDP over IP), `tcp` or `none`."
    )
    task_user: TaskUser = Field(
        "auto",
        pattern=r"^(auto|none|[0-9]+(:[0-9]+)?)$",
        description="Whom runs belong to where the server is root: `auto`, `none` (root without capabilities) "
        "or UID[:GID].",
    )
    jobs_file: Path | None = Field(None, description="A YAML file of jobs, followed while it changes.")
    jobs_dir: Path | None = Field(None, description="A directory of such files (*.yaml, *.yml), followed likewise.")
    jobs_removed: Literal["pause", "remove"] = Field(
        "pause", description="What becomes of a job whose entry is gone from its file."
    )
    poll_interval_seconds: float = Field(
        60, ge=1, le=86400, description="How often files of jobs are looked at, even if nothing tells of a change."
    )
    function_packages: Annotated[tuple[Package, ...], _split(",")] = Field(
        (),
        description="Installed packages, separated by commas, that tasks of type `function` may call beside modules "
        "in the allowed directories.",
    )
    keep_runs: int = Field(1000, ge=1, le=_MOST_KEPT, description="Runs kept of a task; the last always stays.")
    keep_days: float = Field(
        30, gt=0, le=100_000, allow_inf_nan=False, description="Days that runs and their output are kept."
    )
    keep_events: int = Field(
        50_000,
        ge=1000,
        le=_MOST_KEPT,
        description="Events kept for readers that come back; older ones than three days go anyway.",
    )
    max_readers: int = Field(
        500, ge=0, description="Readers of events or of a run's output at a time, in each process; 429 for one more."
    )
    stop_grace_seconds: float = Field(
        10.0,
        ge=0,
        le=_LONGEST_SECONDS,
        allow_inf_nan=False,
        description="How long runs under way may go on when the server is stopped.",
    )
    default_timeout_seconds: float = Field(
        300,
        gt=0,
        le=_LONGEST_SECONDS,
        allow_inf_nan=False,
        description="`timeout_seconds` of tasks that name none when they are created.",
    )
    job_defaults: Annotated[Mapping[str, Any], BeforeValidator(read_job_defaults)] = Field(
        default_factory=dict,
        description="Other policies of tasks that name none of their own: a mapping, or its JSON text. Default: none.",
    )
    notify_default: Annotated[Notify | None, BeforeValidator(_read_object)] = Field(
        None,
        description="Who is told what about tasks that do not say it themselves: a JSON object as a task's `notify`.",
    )
    notify_targets: Annotated[dict[str, Any] | None, BeforeValidator(_read_object)] = Field(
        None,
        repr=False,  # URLs and secrets of services
        description='Targets that tasks may name, as a JSON object: `{"ops": "mailto:ops@example.com", '
        '"hook": {"webhook": "https://...", "secret": "..."}}`.',
    )
    notify_hosts: Annotated[tuple[str, ...], _split(",")] = Field(
        (),
        description="Hosts, separated by commas, that the webhooks and pings of tasks may go to, and schemes of "
        "Apprise URLs, such as `slack://`, that tasks may use. Named targets need none.",
    )
    notify_every_minutes: float = Field(
        5, ge=0, le=7 * 1440, description="At most one message of a task to each target in so many minutes."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: smtp://user:password@host:587/?starttls=1&from=scheduler@example.com, or smtps://.",
    )
    webhook_secret: SecretStr | None = Field(
        None, description="What webhooks are signed with where their target has no secret of its own."
    )
    metrics_public: bool = Field(False, description="Let anybody who reaches the port read `/metrics`.")
    metrics_per_task: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Tasks at most that have metrics of their own; 0: none, metrics tell of all tasks together.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="What is logged.")
    log_format: Literal["text", "json"] = Field("text", description="Human text, or one line of JSON each.")
    log_file: Path | None = Field(
        None, description="File that is logged to beside standard error; opened anew when it was moved away."
    )

    _file: ConfigFile | None = PrivateAttr(None)
    _maker_mark: int | None = PrivateAttr(None)

    if TYPE_CHECKING:  # a checker takes settings that have a default for required, and does not know the second names

        def __init__(self, **settings: Any) -> None: ...

    @field_validator("*", mode="before")
    @classmethod
    def _check_digits(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse the number 10 written as 1_0, which Python would take."""
        numeric = info.field_name is not None and cls.model_fields[info.field_name].annotation in (int, float)
        if numeric and isinstance(value, str) and "_" in value:
            raise ValueError(f"'{value}' is no number: write its digits alone")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, text: str) -> str:
        if text.lower() != "off" and not (match := _RATE.fullmatch(text.strip())):
            raise ValueError(f"'{text}' is no rate: write '100/second', '600/minute', '5000/hour' or 'off'")
        if text.lower() != "off" and match and int(match[1]) < 1:
            raise ValueError(f"'{text}': at least 1 request; 'off' turns the limit off")
        return text

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        try:
            return read_zone(name).key
        except InvalidRequest as error:
            raise ValueError(error.message) from error

    @field_validator("read_dirs")
    @classmethod
    def _check_read_dirs(cls, dirs: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(map(resolved, dirs))

    @field_validator("allowed_dirs")
    @classmethod
    def _check_dirs(cls, dirs: tuple[Path, ...]) -> tuple[Path, ...]:
        if not dirs:
            raise ValueError("at least one directory is needed")
        return tuple(map(resolved, dirs))

    @field_validator("jobs_file", "jobs_dir")
    @classmethod
    def _check_jobs_path(cls, path: Path | None) -> Path | None:
        return path and absolute(path)

    @field_validator("notify_targets")
    @classmethod
    def _check_targets(cls, targets: dict[str, Any] | None) -> dict[str, Any] | None:
        for name, written in (targets or {}).items():
            if not is_name(name):
                raise ValueError(f"'{name[:80]}' is no name: letters, digits, '.', '_' and '-', at most 64")
            try:
                read_target(written, with_secret=True)
            except ValueError as error:
                raise ValueError(f"'{name}': {error}") from None
        return targets

    @field_validator("notify_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*://|[^\s/:@]+|[0-9a-f:]+", host.strip().lower()):
                raise ValueError(f"'{host}' is neither a host, without port and path, nor a scheme such as 'slack://'")
        return tuple(host.strip().lower() for host in hosts)

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            read_smtp_url(url.get_secret_value())
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters, such as `openssl rand -hex 32` prints")
        return secret

    @field_validator("data_dir", "log_file")
    @classmethod
    def _check_path(cls, path: Path | None) -> Path | None:
        return path and resolved(path)

    @model_validator(mode="after")
    def _check_timeout(self) -> SchedulerConfig:
        if "default_timeout_seconds" in self.model_fields_set and "timeout_seconds" in self.job_defaults:
            text = "'default_timeout_seconds' and 'timeout_seconds' of 'job_defaults' say the same: give one of them"
            raise ProblemFound(Problem("default_timeout_seconds", text, self.default_timeout_seconds))
        return self

    @field_validator("users_file")
    @classmethod
    def _check_users_file(cls, path: Path | None) -> Path | None:
        if path is not None:
            resolved(path)  # it may be a link, but not one that leads nowhere
        return path and absolute(path)

    @property
    def users_path(self) -> Path:
        """The file of users, be there one or not."""
        return self.users_file or self.state_dir / "users"

    @property
    def users_places(self) -> tuple[Path, Path]:
        """Where the name of the file of users lies, and where the file itself does: a link may lead elsewhere."""
        path = self.users_path
        return path.parent.resolve() / path.name, path.resolve()

    @property
    def state_dir(self) -> Path:
        """The data directory, of settings that have one: a TaskScheduler's own always do."""
        assert self.data_dir is not None
        return self.data_dir

    @property
    def zone(self) -> ZoneInfo:
        """The zone of phrases that name none."""
        return ZoneInfo(self.timezone)

    @property
    def rate(self) -> Rate | None:
        """The rate limit, or None where it is off."""
        match = _RATE.fullmatch(self.rate_limit.strip())
        return Rate(requests=int(match[1]), seconds=_SPANS[match[2].lower()]) if match else None

    @property
    def smtp(self) -> SmtpServer | None:
        """The mail server, or None where there is none."""
        return None if self.smtp_url is None else read_smtp_url(self.smtp_url.get_secret_value())

    @property
    def targets(self) -> dict[str, Target]:
        """The targets that have a name."""
        return {name: read_target(written, with_secret=True) for name, written in (self.notify_targets or {}).items()}

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK or self.host.startswith("127.")

    @property
    def policies(self) -> dict[str, Any]:
        """The policies of tasks that name none of their own."""
        return {"timeout_seconds": self.default_timeout_seconds, **self.job_defaults}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **options: Any) -> SchedulerConfig:
        """Read the settings from file and environment; `options` that are not None win over both.

        The option or variable `config` names the file; else it is config/scheduler.yaml, where there is one.
        """
        config = cls.read_environment(environ, **options)
        config.check_directories()
        return config

    @classmethod
    def read_environment(cls, environ: Mapping[str, str] | None = None, **options: Any) -> SchedulerConfig:
        """Do the same without a look at the directories, for what lets no task run: it may be called anywhere."""
        environ = os.environ if environ is None else environ
        given = {
            name: environ[PREFIX + name.upper()]
            for name in (*cls.model_fields, CONFIG)
            if environ.get(PREFIX + name.upper(), "") != ""
        }
        given |= {name: value for name, value in options.items() if value is not None}
        file = open_config_file(given.pop(CONFIG, None), cls.model_fields)
        values = {"namespace": "default", **file.values, **given}
        if "data_dir" not in values:
            values["data_dir"] = default_data_dir(environ)
        try:
            config = cls(**values)
        except ValidationError as error:
            raise InvalidRequest([_at_its_source(problem, file, given) for problem in explain(error, cls)]) from error
        config._file = file
        return config

    def named_by(self, maker: str, mark: int | None) -> Self:
        """Return the same settings with the namespace of the module that made them, which `mark` tells from others."""
        named = self.model_copy(update={"namespace": maker})
        named._maker_mark = mark
        return named

    @property
    def maker_mark(self) -> int | None:
        """A number for the file of the module that gave the namespace its name; None where nothing may be mixed up."""
        return self._maker_mark

    @property
    def database_file(self) -> Path | None:
        """The file that `database_url` leads to, which is a namespace's own; None where it leads to none."""
        named = re.match(r"sqlite[^:]*:///([^?]+)", self.database_url or "")
        if named is None or named[1] == ":memory:":
            return None
        return file_of(self.namespace or DEFAULT, Path(named[1]).expanduser()).resolve()

    @property
    def is_of_operator(self) -> bool:
        """Whether file and environment gave these settings, so that somebody reads what `warnings` says of them."""
        return self._file is not None

    def warnings(self) -> list[str]:
        """Say which files that this service relies on tasks could change or, where they hold a secret, read."""
        told = self._file.warnings(self.allowed_dirs, self.read_dirs) if self._file is not None else []
        for what, path in (("database", self.database_file), ("log file", self.log_file)):
            told += [
                f"the {what} {path} lies inside the allowed directory {folder}: a task could read and change it"
                for folder in self.allowed_dirs
                if path and path.is_relative_to(folder)
            ]
            told += [
                f"the {what} {path} lies inside the directory {folder}, which runs may read: a task could read it"
                for folder in self.read_dirs
                if path and path.is_relative_to(folder)
            ]
        return told

    def check_directories(self) -> None:
        """Refuse a data directory or users file that a task could reach, saying what to change."""
        check_data_dir(self.state_dir, self.allowed_dirs)
        check_users_file(self.users_path, self.users_places, (*self.allowed_dirs, *self.read_dirs), self.state_dir)


def unknown_settings(environ: Mapping[str, str]) -> list[str]:
    """Say which SCHEDULER_ variables mean nothing here, each with the nearest that does."""
    known = {name.upper() for name in (*SchedulerConfig.model_fields, CONFIG)}
    given = {name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX)}
    return [
        f"{PREFIX}{name} is no setting"
        + (f"; did you mean {PREFIX}{guess}?" if (guess := nearest(name, known)) else "")
        for name in sorted(given - known - _TOLD_TO_RUNS - _FOR_CALLERS)
    ]


def _at_its_source(problem: Problem, file: ConfigFile, given: Mapping[str, Any]) -> Problem:
    """Return a problem of a setting with its place: a line of the file, else the variable's name."""
    name = problem.field.split(".")[0]
    if name in file.values and name not in given:
        return file.locate(problem)
    return problem.at(PREFIX + name.upper())
