"""THE STOREROOM: files, their copies on both sides, and the work that keeps the copies true. It knows no user."""
