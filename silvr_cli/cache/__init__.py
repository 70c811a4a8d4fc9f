"""Everything silvr has already worked out, in one SQLite file; knows records, no stage."""
