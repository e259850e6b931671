"""Simulated experiments whose truth is known, and how often the statistics find it."""
