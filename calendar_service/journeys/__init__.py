"""Journeys: each module does one thing with the store and Google. Must not know the web."""
