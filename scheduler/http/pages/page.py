"""Describe one page, and hold one visit of it: who has come, what was sent, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request, Response, render_template

from scheduler.auth.access import Access
from scheduler.auth.scopes import Caller, Scope
from scheduler.http.cookie import csrf_token, set_secret
from scheduler.http.pages.notice import keep_notice, take_notice
from scheduler.http.pages.theme import theme_of
from scheduler.http.rest.compression import compressed
from scheduler.http.rest.paths import raw_path
from scheduler.task_scheduler import TaskScheduler


@dataclass(frozen=True, slots=True)
class Page:
    """A method and a path (ids as `<id:task_id>`), the function that answers, and what a visitor must be allowed.

    `section` is the entry of the navigation that is marked, `script` the module below static/ that makes the page
    live. Where `scope` is None nobody is asked who they are. A POST takes a form, and its function is only called
    where the form is one of ours. `again` keeps nothing, and shows what came with a form of which nothing tells that,
    as after signing in anew; where it is None, such a form is refused.
    """

    method: str
    path: str
    function: Callable[..., Response]
    scope: Scope | None = Scope.READ
    section: str = ""
    script: str = ""
    again: Callable[..., Response] | None = None

    @property
    def endpoint(self) -> str:
        """What the page is called in Flask."""
        return str(self.function.__name__)


def address_of(request: Request) -> str:
    """Return the path and the query that were asked for, as a link has them."""
    query = request.query_string.decode("latin-1")
    return f"{raw_path(request.environ)}?{query}" if query else raw_path(request.environ)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: the scheduler, who has come, and the request; `fields` are those of a form, each once."""

    scheduler: TaskScheduler
    caller: Caller
    request: Request
    page: Page
    access: Access
    secret: str
    """What the browser's cookie holds: the key of its session, if it has one."""
    is_new: bool
    """Whether the browser has no cookie yet."""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where a visitor comes back to what is shown: the same page, or the first of all where a form was sent."""
        return address_of(self.request) if self.request.method == "GET" else "/"

    def may(self, scope: Scope) -> bool:
        """Whether the visitor may do what needs that scope."""
        return self.caller.may(scope)

    def show(self, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """Answer with a page; templates know `visit`, `title` and `notice` beside what is given."""
        notice = take_notice(self.request)
        text = render_template(
            template,
            visit=self,
            title=title,
            notice=notice,
            csrf=csrf_token(self.secret),
            theme=theme_of(self.request),
            section=self.page.section,
            script=self.page.script,
            Scope=Scope,
            **values,
        )
        response = Response(text, status=status, mimetype="text/html")
        if notice is not None:
            keep_notice(response, self.request, None)
        return self._finished(compressed(self.request, response))

    def go(self, path: str, said: str | None = None, kind: str = "good") -> Response:
        """Answer a form: lead the browser on to a page, which says what was done; `kind` is `good` or `bad`."""
        response = Response(status=303, headers={"Location": path})
        if said is not None:
            keep_notice(response, self.request, (kind, said))
        return self._finished(response)

    def _finished(self, response: Response) -> Response:
        if self.is_new:
            set_secret(response, self.request, self.secret)
        return response
