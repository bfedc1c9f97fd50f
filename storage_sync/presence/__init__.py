"""Which machines hold a local side, which of them live, and the chores that every one does for its own disk."""
