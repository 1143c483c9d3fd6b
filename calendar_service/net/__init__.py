"""Lines to the world: opened within a deadline, never opened twice, never outlasted. Must not know who is called."""
