"""ChatVista: the roof and the cellar of the house. The apps stand beside this package."""

from __future__ import annotations

__version__ = "1.0.0"
