"""Orders stages, runs the independent ones side by side, keeps their results."""
