"""START HERE: the stages in order."""
