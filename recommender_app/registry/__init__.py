"""Rows of runs, versions and releases: register, promote, roll back."""
