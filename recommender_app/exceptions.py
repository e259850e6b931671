"""The error tree. Every message is one clear line that says what to do."""


class RecommenderError(Exception):
    """Root of every error this app raises on purpose; doors turn it into one line."""


class ConfigurationError(RecommenderError):
    """A setting, declaration or training option is wrong."""


class UnknownUseCase(RecommenderError):
    """No use case is registered under the key that was asked for."""


class UnknownExperiment(RecommenderError):
    """No experiment or phase of that name."""


class UserNotFound(RecommenderError):
    """The requester may not receive recommendations as the user that was named."""


class ItemNotFound(RecommenderError):
    """There is no such item, or the user may not see it."""


class InvalidFilters(RecommenderError):
    """A request's filters are not those of the use case, or have values that make no sense.

    Attributes:
        errors: {parameter: reasons}.
    """

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(" ".join(f"{name}: {' '.join(reasons)}" for name, reasons in errors.items()))
        self.errors = errors


class InvalidEvents(RecommenderError):
    """Posted events that cannot have happened; none of the post is recorded.

    Attributes:
        errors: {number of the event, from 0: {field: reasons}}.
    """

    def __init__(self, errors: dict[int, dict[str, list[str]]]) -> None:
        super().__init__(f"{len(errors)} events cannot be recorded, the first is number {min(errors)}: {errors}")
        self.errors = errors


class MeasurementError(RecommenderError):
    """A day cannot be rolled up, or a report cannot be made."""


class InvalidCursor(RecommenderError):
    """A cursor was altered, has expired, or belongs to another user, use case or set of filters."""


class DatasetError(RecommenderError):
    """A dataset cannot be exported, read or used."""


class TrainingError(RecommenderError):
    """A training run cannot start or cannot finish."""


class IndexRefused(TrainingError):
    """An approximate index would miss too much, or nobody can tell; all items are scored instead."""


class NotEnoughData(TrainingError):
    """Too few users, items or interactions to learn from."""


class ArtifactError(RecommenderError):
    """An artifact folder cannot be written, read or trusted."""


class ArtifactMissing(ArtifactError):
    """There is no artifact folder where one was expected."""


class ArtifactDamaged(ArtifactError):
    """An artifact folder is incomplete, altered or of an unknown format."""


class ArtifactTooNew(ArtifactDamaged):
    """An artifact folder is of a format that only newer code reads."""


class RegistryError(RecommenderError):
    """A version or release cannot be registered, promoted or rolled back."""


class RegistryBusy(RegistryError):
    """The registry could not be changed now; trying again later may help."""


class EngineError(RecommenderError):
    """An engine was asked for something that it cannot do."""
