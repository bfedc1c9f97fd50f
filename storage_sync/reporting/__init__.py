"""Where the storeroom stands: computed from rows and probes, for operators, commands and health checks."""
