"""List the pages: what each is called, who may see it, and which module makes it live."""

from __future__ import annotations

from scheduler.auth.scopes import Scope
from scheduler.http.pages import choices, dashboard, sign_in, tasks
from scheduler.http.pages.page import Page

PAGES = (
    Page("GET", "/", dashboard.show_dashboard, Scope.READ, "dashboard", "dashboard.js"),
    Page("GET", "/dashboard/now", dashboard.show_dashboard_now),
    Page("POST", "/scheduler/start", dashboard.start_scheduler, Scope.ADMIN),
    Page("POST", "/scheduler/stop", dashboard.stop_scheduler, Scope.ADMIN),
    Page("GET", "/tasks", tasks.show_tasks, Scope.READ, "tasks", "tasks.js"),
    Page("POST", "/tasks", tasks.act_on_tasks, Scope.RUN, "tasks"),
    Page("GET", "/sign-in", sign_in.show_sign_in, None),
    Page("POST", "/sign-in", sign_in.sign_in, None),
    Page("POST", "/sign-out", sign_in.sign_out, None),
    Page("POST", "/theme", choices.choose_theme, None),
)
