"""What the app holds on a person: forgotten, or handed over."""

from recommender_app.privacy.exporting import export_user
from recommender_app.privacy.forgetting import forget_user
from recommender_app.privacy.report import Report
from recommender_app.privacy.revoking import revoke_forgetting

__all__ = ["Report", "export_user", "forget_user", "revoke_forgetting"]
