"""The JavaScript snippet in a real Chromium, against the real API."""
