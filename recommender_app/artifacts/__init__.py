"""Immutable folders of plain arrays: the only bridge between training and serving. No Django."""
