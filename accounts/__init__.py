"""Who: organizations, the people in them, their sessions, and what they did."""
