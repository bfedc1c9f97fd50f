"""The HTTP surface of files and of the storeroom's operators."""
