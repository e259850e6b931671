"""Whom it is about: one object of a host's model, in every use case that the model takes part in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from recommender_app.exceptions import UserNotFound
from recommender_app.registry.tombstones import label_of
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases, get_use_case
from recommender_app.usecases.values import usable_values


@dataclass(frozen=True)
class Subject:
    """A person, who may be deleted in the host's tables already.

    Attributes:
        model: the host's.
        user_id: primary key in its own type.
        use_cases: those whose ``users`` the model is.
        shown_in: those whose ``items`` the model is: where people are recommended.
    """

    model: type[Model]
    user_id: Any
    use_cases: tuple[UseCase, ...]
    shown_in: tuple[UseCase, ...]

    @property
    def text(self) -> str:
        """The external id as the app's tables hold it."""
        return str(self.user_id)

    @property
    def label(self) -> str:
        """The model's label."""
        return label_of(self.model)

    @property
    def exists(self) -> bool:
        """Whether the host still has the object."""
        return self.model._base_manager.filter(pk=self.user_id).exists()


def subject_of(use_case_key: str, user_id: Any) -> Subject:
    """Return the subject that a key (or its text) means among the users of a use case.

    A person is forgotten by all use cases of the users' model, not by one: nobody asks to be
    forgotten by a list.

    Raises:
        UnknownUseCase: nothing is registered under the key.
        UserNotFound: no user can have such a key.
    """
    model = get_use_case(use_case_key).users
    found = usable_values(model._meta.pk, [user_id])
    if not found:
        raise UserNotFound(
            f"{user_id!r} cannot be a key of {label_of(model)}: give the id as the host's tables have it."
        )
    label, everywhere = label_of(model), all_use_cases()
    users = tuple(each for each in everywhere if label_of(each.users) == label)
    items = tuple(each for each in everywhere if label_of(each.items) == label)
    return Subject(model, found[0], users, items)
