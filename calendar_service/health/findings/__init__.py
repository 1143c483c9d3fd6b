"""Findings by subject: what a measure means, and what to do about it."""
