"""Loads, fills and hashes the prompt templates in prompts/."""
