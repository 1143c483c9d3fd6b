"""What `calendar-service run` starts on one machine. Not part of a deployment."""
