"""How this process serves: what is loaded, what is wrong, and who decided."""

from __future__ import annotations

from typing import Any

from recommender_app.models import TrainingRun
from recommender_app.registry.training_signs import TrainingSigns, training_signs
from recommender_app.serving import arms, breakers, database, live, request_log
from recommender_app.serving.circuit import CLOSED
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.overlay import overlay_of
from recommender_app.serving.policies import is_readable, policy_for
from recommender_app.serving.policy_tables import policy_as_json
from recommender_app.serving.spool.files import SpoolState, spool_state
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases

OK, DEGRADED, NO_RELEASE = "ok", "degraded", "no_release"
SPOOL_SECONDS = 900.0  # a row that waits for longer is a problem: drains come every minute


def health(use_cases: list[UseCase] | None = None) -> dict[str, Any]:
    """Return the state of this process as JSON values; others may see it differently.

    Args:
        use_cases: all if None.
    """
    chosen = all_use_cases() if use_cases is None else use_cases
    told = {use_case.key: use_case_health(use_case) for use_case in chosen}
    databases = database.states()
    problems = [f"{key}, {problem}" for key, state in told.items() for problem in _problems(state)]
    problems += [
        f"database {alias}: not tried for some seconds" for alias, state in databases.items() if state != CLOSED
    ]
    problems += [f"{key}, experiments: nobody can be assigned, the policy in force serves" for key in arms.failing()]
    spool = spool_state()
    problems += _spool_problems(spool)
    training = _training()
    problems += training.problems
    return {
        "status": DEGRADED if problems else OK,
        "problems": problems,
        "use_cases": told,
        "databases": databases,
        "n_log_rows_lost": request_log.n_lost(),
        "n_log_rows_spooled": request_log.n_spooled(),
        "n_requests_without_arm": arms.n_failed(),
        "spool": spool.to_json(),
        "training": training.to_json(),
    }


def _training() -> TrainingSigns:
    """Return who trains; nothing is known while the rows cannot be read, which is a problem of its own."""
    try:
        with database.savepoint(TrainingRun):
            return training_signs()
    except database.DATABASE_ERRORS:
        return TrainingSigns(0, None, None, ("the training runs cannot be read from the database",))


def use_case_health(use_case: UseCase) -> dict[str, Any]:
    """Return the state of one use case in this process."""
    policy = policy_for(use_case.key)
    release = live.current(use_case.key, policy)
    state: dict[str, Any] = {
        "status": NO_RELEASE,
        "is_row_readable": live.is_row_readable(use_case.key),
        "waits_for": live.waits_for(use_case.key),
        "is_policy_readable": is_readable(use_case.key),
        "policy": policy_as_json(policy),
        "engines": {},
        "breakers": _breakers(use_case.key),
        "n_overlay_items": None,
        "release": None,
    }
    if release is not None:
        state |= {
            "release": release.number,
            "engines": _engines(release),
            "n_overlay_items": _overlay(use_case, release),
        }
    if _problems(state):
        state["status"] = DEGRADED
    elif release is not None:
        state["status"] = OK
    return state


def _breakers(use_case_key: str) -> dict[str, str]:
    """Return the breakers of what is live and of the releases that running arms pin; others are asked no more."""
    pins = arms.pinned_by_arms(use_case_key)
    found = breakers.states().get(use_case_key, {})
    return {name: state for name, state in found.items() if "@" not in name or int(name.rpartition("@")[2]) in pins}


def _engines(release: LoadedRelease) -> dict[str, dict[str, Any]]:
    return {
        engine: {
            "version": version,
            "is_loaded": engine in release.artifacts,
            "is_pinned": engine in release.pinned,
            "has_index": engine in release.artifacts and release.artifacts[engine].engine.has_index,
            "problem": release.problems.get(engine, ""),
            "note": release.notes.get(engine, ""),
        }
        for engine, version in sorted(release.versions.items())
    }


def _overlay(use_case: UseCase, release: LoadedRelease) -> int | None:
    """Return how many new and changed items are laid over the release; None where none can be."""
    overlay = overlay_of(use_case, release)
    return None if overlay is None else len(overlay.laid)


def _spool_problems(spool: SpoolState) -> list[str]:
    if not spool.is_readable:
        return [f"spool: {spool.folder} cannot be read"]
    if spool.oldest_seconds is None or spool.oldest_seconds <= SPOOL_SECONDS:
        return []
    return [f"spool: a row waits for {spool.oldest_seconds / 60:.0f} minutes; is recommender_drain run on this host?"]


def _problems(state: dict[str, Any]) -> list[str]:
    engines = [f"{name}: {engine['problem']}" for name, engine in state["engines"].items() if engine["problem"]]
    open_ones = [f"{name}: left alone, it failed too often" for name, is_ in state["breakers"].items() if is_ != CLOSED]
    unread = [] if state["is_row_readable"] else ["the live release cannot be read from the database"]
    unread += [state["waits_for"]] * bool(state["waits_for"])
    if not state["is_policy_readable"]:
        unread.append("the stored policy cannot be read or makes no sense")
    return [*engines, *open_ones, *unread]
