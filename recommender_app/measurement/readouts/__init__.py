"""What the roll-ups say about an experiment: sums, health, results and a verdict, one snapshot a day."""
