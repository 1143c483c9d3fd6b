#!lua flags=no-writes
-- Return which part of the rate is in force.
-- keys: throttle
-- args: none
-- returns: the part, in thousandths
-- use: throttle
return {level()}
