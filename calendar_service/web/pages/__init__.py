"""Pages for agents and for everybody."""
