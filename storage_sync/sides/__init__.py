"""The places that hold bytes: this machine's disk and the cloud, behind one contract."""
