"""Simulated people use the real site: they are answered, react, and what they do is rolled up day by day."""
