"""The app's own tables: runs, versions, releases, policies, rules, request log, events, roll-ups, experiments."""

from recommender_app.models.anonymous_event import AnonymousEvent
from recommender_app.models.business_rule import BusinessRule, RuleChange
from recommender_app.models.experiment import ExclusionLayer, Experiment, ExperimentChange
from recommender_app.models.feedback_event import FeedbackEvent
from recommender_app.models.forgotten_user import ForgottenUser
from recommender_app.models.model_version import ModelVersion
from recommender_app.models.phase import Arm, Assignment, IdentityLink, Phase, RampStep
from recommender_app.models.release import Release, ReleaseMember
from recommender_app.models.release_change import ReleaseChange
from recommender_app.models.request_log import RequestLog
from recommender_app.models.roll_up import RolledUpDay, RollUp, RollUpShape
from recommender_app.models.serving_policy import PolicyChange, ServingPolicy
from recommender_app.models.snapshot import Snapshot
from recommender_app.models.training_run import TrainingRun
from recommender_app.models.trim_mark import TrimMark
from recommender_app.models.tuned_config import TunedConfig

__all__ = [
    "AnonymousEvent",
    "Arm",
    "Assignment",
    "BusinessRule",
    "ExclusionLayer",
    "Experiment",
    "ExperimentChange",
    "FeedbackEvent",
    "ForgottenUser",
    "IdentityLink",
    "ModelVersion",
    "Phase",
    "PolicyChange",
    "RampStep",
    "Release",
    "ReleaseChange",
    "ReleaseMember",
    "RequestLog",
    "RollUp",
    "RollUpShape",
    "RolledUpDay",
    "RuleChange",
    "ServingPolicy",
    "Snapshot",
    "TrainingRun",
    "TrimMark",
    "TunedConfig",
]
