"""Captions, screen text and utterances as ordered lines of text; pure."""
