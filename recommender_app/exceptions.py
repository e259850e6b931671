"""The error tree. Every message is one clear line that says what to do."""


class RecommenderError(Exception):
    """Root of every error this app raises on purpose; doors turn it into one line."""


class ConfigurationError(RecommenderError):
    """A setting, declaration or training option is wrong."""


class UnknownUseCase(RecommenderError):
    """No use case is registered under the key that was asked for."""


class UserNotFound(RecommenderError):
    """The requester may not receive recommendations as the user that was named."""


class DatasetError(RecommenderError):
    """A dataset cannot be exported, read or used."""


class TrainingError(RecommenderError):
    """A training run cannot start or cannot finish."""


class NotEnoughData(TrainingError):
    """Too few users, items or interactions to learn from."""


class ArtifactError(RecommenderError):
    """An artifact folder cannot be written, read or trusted."""


class ArtifactMissing(ArtifactError):
    """There is no artifact folder where one was expected."""


class ArtifactDamaged(ArtifactError):
    """An artifact folder is incomplete, altered or of an unknown format."""


class RegistryError(RecommenderError):
    """A version or release cannot be registered, promoted or rolled back."""


class EngineError(RecommenderError):
    """An engine was asked for something that it cannot do."""
