"""What the host declares, and every query that the declaration implies."""
