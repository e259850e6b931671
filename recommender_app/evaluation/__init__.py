"""Metrics, full-ranking evaluation and paired comparison. No Django."""
