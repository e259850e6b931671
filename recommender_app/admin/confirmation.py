"""A page between an action on what is live and its doing: what will change, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest
from django.template.response import TemplateResponse

CONFIRMED = "confirmed"


def is_confirmed(request: HttpRequest, *, needs_reason: bool = False) -> bool:
    """Tell whether the page was sent back, with a reason where there has to be one."""
    return CONFIRMED in request.POST and bool(reason_of(request) or not needs_reason)


def reason_of(request: HttpRequest) -> str:
    """Return what was written as the reason."""
    return request.POST.get("reason", "").strip()


def confirmation_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    rows: Sequence[Any],
    *,
    action: str,
    title: str,
    question: str,
    lines: Sequence[str],
    needs_reason: bool = False,
    form: Form | None = None,
    is_possible: bool = True,
) -> TemplateResponse:
    """Return the page; sent back, it calls the same action again with the same rows.

    Args:
        lines: what is about to change, one line per row.
        form: what is asked beside the reason.
        is_possible: False where the question says why not: there is no button then.
    """
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": title,
        "question": question,
        "lines": lines,
        "rows": rows,
        "action": action,
        "needs_reason": needs_reason,
        "form": form,
        "is_possible": is_possible,
        "problem": "Say why." if CONFIRMED in request.POST and needs_reason and not reason_of(request) else "",
    }
    request.current_app = model_admin.admin_site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, "admin/recommender_app/confirm.html", context)
