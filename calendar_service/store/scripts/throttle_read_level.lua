#!lua flags=allow-oom
-- Return which part of the rate is in force.
-- keys: throttle
-- args: none
-- returns: the part, in thousandths
-- use: throttle
return {level()}
