"""Pages for agents and for the public."""
