"""A Google Calendar integration that keeps one published promise."""

import zoneinfo

# The locked tzdata package decides what a local time means, in every process. By default `zoneinfo` reads the host's
# files first, and those may be years old: a session would be written an hour off.
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo.clear_cache()
