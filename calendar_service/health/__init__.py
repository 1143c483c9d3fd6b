"""The state of the service, measured in one place for doctor, /readyz, /metrics and the report. Changes nothing."""
