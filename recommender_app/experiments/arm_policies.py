"""What the policy of an arm may say: what a serving policy may, and a release to pin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError

from recommender_app.models import Release, ServingPolicy
from recommender_app.models.json_rules import json_problem
from recommender_app.models.serving_policy import FIELDS
from recommender_app.registry.policies import check_thresholds
from recommender_app.usecases.attributes import allowed_attributes
from recommender_app.usecases.site import get_use_case

RELEASE = "release"
KEYS = (*FIELDS, RELEASE)
NUMBERS = ("cold_start_threshold", "warm_user_threshold", "diversity", "fatigue_after", "exploration")


def policy_sentences(use_case_key: str, policy: Any) -> list[str]:
    """Return what is wrong with the policy of an arm, a sentence each; [] = it can be served.

    Raises:
        UnknownUseCase: nothing is registered under the key.
    """
    if not isinstance(policy, Mapping):
        return ['Write {"routes": [[0, "als"]]}, or {} for what is in force anyway.']
    problem = json_problem(dict(policy))
    if problem:
        return [problem]
    unknown = [_unknown(key) for key in policy if key not in KEYS]
    return unknown or [*_wrong_types(policy)] or [*_unservable(use_case_key, policy)]


def _unknown(key: Any) -> str:
    found = get_close_matches(str(key), KEYS, n=1)
    return f"A policy says nothing about {key!r}: " + (f"did you mean {found[0]!r}?" if found else _choices())


def _choices() -> str:
    return f"choose from {', '.join(KEYS)}."


def _wrong_types(policy: Mapping[str, Any]) -> Iterator[str]:
    for name, value in policy.items():
        if value is None:
            yield f"{name}: leave it out instead of writing null."
        elif name in NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
            yield f"{name}: write a number, not {value!r}."
        elif name in (RELEASE, "cold_start_threshold", "warm_user_threshold", "fatigue_after") and not _is_whole(value):
            yield f"{name}: write a whole number, not {value!r}."


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _unservable(use_case_key: str, policy: Mapping[str, Any]) -> Iterator[str]:
    use_case = get_use_case(use_case_key)
    row = ServingPolicy(use_case=use_case_key, name="arm", is_active=False)
    for name in policy.keys() - {RELEASE}:
        setattr(row, name, policy[name])
    try:
        row.full_clean(validate_unique=False)
        check_thresholds(row.cold_start_threshold, row.warm_user_threshold)
    except ValidationError as error:
        yield from (f"{name}: {' '.join(said)}".removeprefix("__all__: ") for name, said in error.message_dict.items())
        return
    known = allowed_attributes(use_case)
    for attribute in policy.get("caps", {}):
        if attribute not in known:
            names = ", ".join(known) or "none; list some in rule_attributes"
            yield f"caps: there is no attribute {attribute!r}: choose from {names}."
    yield from _unknown_release(use_case_key, policy.get(RELEASE))


def _unknown_release(use_case_key: str, number: int | None) -> Iterator[str]:
    if number is not None and not Release.objects.filter(use_case=use_case_key, number=number).exists():
        yield f"release: there is no release {number} of {use_case_key}: recommender_models {use_case_key} lists all."
