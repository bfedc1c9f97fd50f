"""The cellar: what every app stands on. It sees no app."""
