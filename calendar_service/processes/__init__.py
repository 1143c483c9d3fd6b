"""Child processes that end with their parent, and free ports of this host."""
