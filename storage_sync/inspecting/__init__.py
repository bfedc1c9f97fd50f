"""Looking after the copies: lists are compared (reconciling), bytes are read again (scrubbing), drift is mended.

A list is trusted no further than its guards: one that is empty, short or of another Space changes nothing.
"""
