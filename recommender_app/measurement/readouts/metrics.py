"""The metrics that experiments are judged by; they are declared where experiments are planned."""

from recommender_app.experiments.metrics import DECIDING, LATENCY, METRICS, Direction, Metric

__all__ = ["DECIDING", "LATENCY", "METRICS", "Direction", "Metric"]
