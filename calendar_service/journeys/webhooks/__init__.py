"""What the backend is told, and tried again."""
