"""Experiments: who is in which arm, how phases live and end, and what the numbers say."""
