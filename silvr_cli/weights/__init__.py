"""Model weights: what can be pulled, from where, and where it lies; knows no model's insides."""
