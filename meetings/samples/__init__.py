"""The sample meeting that ships with the product: a recording, its script, and how it was voiced."""
