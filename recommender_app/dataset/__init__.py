"""Datasets: ids, interactions, features, splits, the exported folder. No Django."""
