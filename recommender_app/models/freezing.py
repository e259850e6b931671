"""What has been started stays as it is: a phase, its arms, its ramp and its experiment's plan can no longer be edited.

``save()``, ``delete()``, fixtures and cascades are stopped by signals; what sends none (``update()``,
``bulk_create()``, ``bulk_update()``) by the query set, which is also the models' base manager. Both lock the
phase, so that nothing is edited while it is being started. A new configuration is a new phase.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import reduce
from typing import Any, ClassVar, NoReturn

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connections, models, router, transaction
from django.db.models.signals import pre_delete, pre_save

# {model: (lookup from Phase, fields that change while a phase runs)}; once it has ended, or for an experiment that
# was started ever, only LATER.
OF_PHASE = {"Phase": "pk", "Arm": "arms", "RampStep": "ramp_steps"}
RUNNING = {
    "Phase": {"enrol_bp", "is_enrolling", "ended_at", "end_reason"},
    "Arm": set[str](),
    "RampStep": {"activated_at", "held_reason"},
}
LATER = {"Experiment": {"status", "winner"}, "ExclusionLayer": set[str]()}
ADVICE = {
    "Experiment": "plan another experiment.",
    "ExclusionLayer": "use another layer, or stop its experiments first.",
}


class FreezingQuerySet(models.QuerySet[Any]):
    """Refuses with a ValidationError what would change, add or delete rows of what has been started."""

    def update(self, **values: Any) -> int:
        """Update rows of which none is frozen, or such fields as may change."""
        with transaction.atomic(using=self.db):
            names = {field_name(self.model, name) for name in values}
            _check(self.model.__name__, phases_of(self.model, self.order_by().values("pk"), self.db), names)
            _check_target(self.model, self.db, values.get("phase", values.get("phase_id")))
            return super().update(**values)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Add rows to what has not been started."""
        rows = list(objs)
        with transaction.atomic(using=self.db):
            for owner in {getattr(row, "phase_id", None) for row in rows}:
                _check_target(self.model, self.db, owner)
            if kwargs.get("update_conflicts"):
                raise ValidationError("Rows of experiments are not updated by bulk_create(): save them.")
            return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        """Update rows of which none is frozen, and move none into what has been started."""
        rows, names = list(objs), list(fields)
        with transaction.atomic(using=self.db):
            for owner in {getattr(row, "phase_id", None) for row in rows if "phase" in names}:
                _check_target(self.model, self.db, owner)
            return super().bulk_update(rows, names, *args, **kwargs)


class KeyedManager(models.Manager.from_queryset(FreezingQuerySet)):  # type: ignore[misc]
    """Finds the row of a fixture by what names it, so that loading one twice makes no second."""

    def get_by_natural_key(self, *values: Any) -> Any:
        """Return the row; ``names`` of the model says which fields name it."""
        return self.get(**dict(zip(self.model.natural_fields, values, strict=True)))


class Freezing(models.Model):
    """Base of the models whose rows are frozen; a save locks their phase before it looks."""

    natural_fields: ClassVar[tuple[str, ...]] = ()

    objects = KeyedManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row, unless that would change what has been started."""
        with transaction.atomic(using=kwargs.get("using") or router.db_for_write(type(self), instance=self)):
            super().save(*args, **kwargs)

    def natural_key(self) -> tuple[Any, ...]:
        """Return what fixtures name the row by."""
        return tuple(reduce(getattr, name.split("__"), self) for name in self.natural_fields)


def field_name(model: type[models.Model], name: str) -> str:
    """Return a field's name; ``phase`` for ``phase_id``, ``pk`` for what it is."""
    return model._meta.pk.name if name == "pk" else model._meta.get_field(name).name  # type: ignore[union-attr]


def phases_of(model: type[models.Model], keys: Any, using: str) -> list[Any]:
    """Return the phases of rows, locked where there is a transaction; for a layer only those that run."""
    name = model.__name__
    phases = apps.get_model("recommender_app", "Phase")._base_manager.using(using).order_by("pk")
    if connections[using].in_atomic_block:
        phases = phases.select_for_update(of=("self",))
    if name == "ExclusionLayer":
        return list(phases.filter(experiment__layer__in=keys, started_at__isnull=False, ended_at__isnull=True))
    lookup = "experiment" if name == "Experiment" else OF_PHASE[name]
    return list(phases.filter(**{f"{lookup}__in": keys}))


def _check(name: str, phases: Iterable[Any], changed: Collection[str]) -> None:
    """Raise unless all of these fields of rows of these phases may change."""
    for phase in phases:
        if phase.started_at is None:
            continue
        allowed = LATER.get(name, RUNNING.get(name, set()) if phase.ended_at is None else set())
        frozen = sorted(set(changed) - allowed)
        if frozen:
            _refuse(name, phase, f"{', '.join(frozen)} cannot be changed")


def _check_target(model: type[models.Model], using: str, owner: Any) -> None:
    """Raise if an arm or a ramp step would be added to a phase that has been started."""
    if model.__name__ not in ("Arm", "RampStep") or owner is None:
        return
    phases = apps.get_model("recommender_app", "Phase")
    for phase in phases_of(phases, [getattr(owner, "pk", owner)], using):
        if phase.started_at is not None:
            _refuse(model.__name__, phase, f"no {model._meta.verbose_name} can be added")


def _refuse(name: str, phase: Any, what: str) -> NoReturn:
    since = "has ended" if phase.ended_at else "runs"
    advice = ADVICE.get(name, "stop it and begin a new phase." if phase.ended_at is None else "begin a new phase.")
    raise ValidationError(f"Phase {phase.number} of {phase.experiment.key} {since}: {what}; {advice}", code="frozen")


def _before_save(
    sender: type[models.Model], instance: Any, using: str, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Raise if a save would change what is frozen, or add to it."""
    phases = phases_of(sender, [instance.pk], using) if instance.pk else []  # locked before the row is read
    stored = sender._base_manager.using(using).filter(pk=instance.pk).first() if instance.pk else None
    if stored is None or stored.__dict__.get("phase_id") != instance.__dict__.get("phase_id"):
        _check_target(sender, using, getattr(instance, "phase_id", None))
    if stored is None:
        return
    names = [field.attname for field in sender._meta.concrete_fields if field.attname in instance.__dict__]
    changed = {field_name(sender, name) for name in names if getattr(instance, name) != getattr(stored, name)}
    if update_fields is not None:
        changed &= {field_name(sender, name) for name in update_fields}
    _check(sender.__name__, phases, changed)


def _before_delete(sender: type[models.Model], instance: Any, using: str, **_: Any) -> None:
    """Raise if a row is deleted of what has been started."""
    for phase in phases_of(sender, [instance.pk], using):
        if phase.started_at is not None:
            _refuse(sender.__name__, phase, f"the {sender._meta.verbose_name} cannot be deleted")


for _name in (*OF_PHASE, *LATER):
    pre_save.connect(_before_save, sender=f"recommender_app.{_name}", dispatch_uid=f"recommender frozen {_name}")
    pre_delete.connect(_before_delete, sender=f"recommender_app.{_name}", dispatch_uid=f"recommender kept {_name}")
