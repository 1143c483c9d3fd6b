"""Is it well? Measured once, and answered by doctor, /readyz, /metrics and the report. Must not change anything."""
