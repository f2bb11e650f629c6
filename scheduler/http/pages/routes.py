"""List the pages: what each is called, who may see it, and which module makes it live."""

from __future__ import annotations

from scheduler.auth.scopes import Scope
from scheduler.http.pages import choices, dashboard, sign_in, task_form, tasks
from scheduler.http.pages.page import Page

PAGES = (
    Page("GET", "/", dashboard.show_dashboard, Scope.READ, "dashboard", "dashboard.js"),
    Page("GET", "/dashboard/now", dashboard.show_dashboard_now),
    Page("POST", "/scheduler/start", dashboard.start_scheduler, Scope.ADMIN),
    Page("POST", "/scheduler/stop", dashboard.stop_scheduler, Scope.ADMIN),
    Page("GET", "/tasks", tasks.show_tasks, Scope.READ, "tasks", "tasks.js"),
    Page("POST", "/tasks", tasks.act_on_tasks, Scope.RUN, "tasks"),
    Page("GET", "/tasks/new", task_form.show_new_task, Scope.WRITE, "tasks", "task_form.js"),
    Page("POST", "/tasks/new", task_form.create_task_by_form, Scope.WRITE, "tasks", "task_form.js"),
    Page("GET", "/tasks/<id:task_id>/edit", task_form.show_task_form, Scope.WRITE, "tasks", "task_form.js"),
    Page("POST", "/tasks/<id:task_id>/edit", task_form.change_task_by_form, Scope.WRITE, "tasks", "task_form.js"),
    Page("GET", "/sign-in", sign_in.show_sign_in, None),
    Page("POST", "/sign-in", sign_in.sign_in, None),
    Page("POST", "/sign-out", sign_in.sign_out, None),
    Page("POST", "/theme", choices.choose_theme, None),
)
