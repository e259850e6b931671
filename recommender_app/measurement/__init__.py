"""What came of what was shown: events, their attribution, sessions, roll-ups and metrics."""
