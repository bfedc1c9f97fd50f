"""Uploads that take more than one request: in chunks through us (tus), or in parts past us, straight to the Space.

All that is known of one is in its row, so any instance takes the next chunk. Whoever works on an upload holds it by a
lease (`holding`); bytes become parts of an object (`parting`) or of a file (`appending`); `finishing` makes a stored
file of them, together with whatever owns it (`purposes`).
"""
