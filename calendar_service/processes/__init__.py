"""Processes of this host: children, their end with their parent, free ports."""
