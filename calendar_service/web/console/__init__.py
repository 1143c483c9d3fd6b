"""The stand-in for an agent console, and the reviewer console."""
