"""Tell about the forms: for `help`, and as docs/phrases.md, both from the table in forms.py."""

from __future__ import annotations

from scheduler.phrases.forms import FORMS


def forms_help() -> list[dict[str, object]]:
    """Return the table of forms as JSON: form, accepted examples, meaning, canonical description."""
    return [
        {
            "form": form.name,
            "accepted": list(form.accepted),
            "meaning": form.meaning,
            "description": form.canonical,
        }
        for form in FORMS
    ]
