"""ChatVista: the roof and the cellar of the house. The apps stand beside this package."""

__version__ = "1.0.0"
