"""Plain values of the service. Standard library only; must not know a store, Google or the web."""
