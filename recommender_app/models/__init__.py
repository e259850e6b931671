"""The app's own tables: runs, versions, releases, options, policies, rules, the request log, events, roll-ups."""

from recommender_app.models.anonymous_event import AnonymousEvent
from recommender_app.models.business_rule import BusinessRule, RuleChange
from recommender_app.models.feedback_event import FeedbackEvent
from recommender_app.models.forgotten_user import ForgottenUser
from recommender_app.models.model_version import ModelVersion
from recommender_app.models.release import Release, ReleaseMember
from recommender_app.models.release_change import ReleaseChange
from recommender_app.models.request_log import RequestLog
from recommender_app.models.roll_up import RolledUpDay, RollUp, RollUpShape
from recommender_app.models.serving_policy import PolicyChange, ServingPolicy
from recommender_app.models.training_run import TrainingRun
from recommender_app.models.tuned_config import TunedConfig

__all__ = [
    "AnonymousEvent",
    "BusinessRule",
    "FeedbackEvent",
    "ForgottenUser",
    "ModelVersion",
    "PolicyChange",
    "Release",
    "ReleaseChange",
    "ReleaseMember",
    "RequestLog",
    "RollUp",
    "RollUpShape",
    "RolledUpDay",
    "RuleChange",
    "ServingPolicy",
    "TrainingRun",
    "TunedConfig",
]
