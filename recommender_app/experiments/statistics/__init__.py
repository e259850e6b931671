"""What the sums of the arms say: pure functions on numbers, which know neither Django nor the rest of the app."""
