"""One video session: accepted, decided, brought to Google, compared."""
