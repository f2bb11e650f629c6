"""List the pages: what each is called, who may see it, and which module makes it live."""

from __future__ import annotations

from scheduler.auth.scopes import Scope
from scheduler.http.pages import choices, dashboard, rehearsal, run, runs, sign_in, task, task_form, tasks
from scheduler.http.pages.page import Page

PAGES = (
    Page("GET", "/", dashboard.show_dashboard, Scope.READ, "dashboard", "dashboard.js"),
    Page("GET", "/dashboard/now", dashboard.show_dashboard_now),
    Page("POST", "/scheduler/start", dashboard.start_scheduler, Scope.ADMIN),
    Page("POST", "/scheduler/stop", dashboard.stop_scheduler, Scope.ADMIN),
    Page("GET", "/tasks", tasks.show_tasks, Scope.READ, "tasks", "tasks.js"),
    Page("POST", "/tasks", tasks.act_on_tasks, Scope.RUN, "tasks"),
    Page("GET", "/new-task", task_form.show_new_task, Scope.WRITE, "tasks", "task_form.js"),
    Page(
        "POST",
        "/new-task",
        task_form.create_task_by_form,
        Scope.WRITE,
        "tasks",
        "task_form.js",
        task_form.show_new_task_again,
    ),
    Page("GET", "/tasks/<id:task_id>/edit", task_form.show_task_form, Scope.WRITE, "tasks", "task_form.js"),
    Page(
        "POST",
        "/tasks/<id:task_id>/edit",
        task_form.change_task_by_form,
        Scope.WRITE,
        "tasks",
        "task_form.js",
        task_form.show_task_form_again,
    ),
    Page("GET", "/tasks/<id:task_id>/strip", tasks.show_strip),
    Page("GET", "/tasks/<id:task_id>", task.show_task, Scope.READ, "tasks", "task.js"),
    Page("POST", "/tasks/<id:task_id>/run", task.run_task_now, Scope.RUN),
    Page("POST", "/tasks/<id:task_id>/pause", task.pause_task, Scope.WRITE),
    Page("POST", "/tasks/<id:task_id>/resume", task.resume_task, Scope.WRITE),
    Page("POST", "/tasks/<id:task_id>/remove", task.remove_task, Scope.WRITE),
    Page("GET", "/runs", runs.show_runs, Scope.READ, "runs", "runs.js"),
    Page("GET", "/runs/<id:run_id>", run.show_run, Scope.READ, "runs", "run_page.js"),
    Page("POST", "/runs/<id:run_id>/again", run.run_again, Scope.RUN),
    Page("POST", "/runs/<id:run_id>/cancel", run.cancel_run, Scope.RUN),
    Page("GET", "/rehearsal", rehearsal.show_rehearsal, Scope.READ, "rehearsal"),
    Page("GET", "/sign-in", sign_in.show_sign_in, None),
    Page("POST", "/sign-in", sign_in.sign_in, None),
    Page("POST", "/sign-out", sign_in.sign_out, None),
    Page("POST", "/theme", choices.choose_theme, None),
)
