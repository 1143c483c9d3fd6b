"""Calendar v3: calendars, events, lists, channels, quotas."""
