"""Business rules of the admin may name a person, where people are recommended."""

from __future__ import annotations

from functools import partial
from typing import Any

from recommender_app.models import BusinessRule
from recommender_app.privacy.report import REMOVED, Report
from recommender_app.privacy.subject import Subject
from recommender_app.registry.rule_items import count_naming, forget_item
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.values import usable_ids

BY = "recommender_forget_user"


def forget_in_rules(subject: Subject, report: Report) -> None:
    """Take the person out of the rules, and out of what their trail says of them."""
    if report.is_dry_run:
        n_rows = count_in_rules(subject)
    else:
        n_rows = sum(forget_item(each.key, partial(_is_meant, each, subject), by=BY) for each in subject.shown_in)
    note = "rules that are about nobody else are deleted; in their trail the id is blanked"
    report.add("business rules and their trail", BusinessRule._meta.db_table, REMOVED, n_rows, note=note)


def count_in_rules(subject: Subject) -> int:
    """Return how many rules and rows of their trail name the person."""
    return sum(count_naming(each.key, partial(_is_meant, each, subject)) for each in subject.shown_in)


def _is_meant(use_case: UseCase, subject: Subject, item_id: Any) -> bool:
    return usable_ids(use_case, [item_id]) == [subject.user_id]
