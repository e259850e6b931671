"""Trainers learn engines from datasets: the only place of the heavy libraries. No Django."""
