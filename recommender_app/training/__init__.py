"""Export, train, measure, publish."""
