"""The answer to one question: may this call at Google go now.

`admission` asks the others in this order: `inline_slots` (may another thread wait for Google?), `breaker` (does Google
answer?), `budget` (is the rate used up, of the account or of the project?). Beside them: `refusal` (what Google accepts
from none of us), `testing_mode` (does Google take the project for a test?), `backoff` (when is it tried again?).
"""
