"""Engines score items for requests: arrays and little code. No Django, nothing heavy."""
