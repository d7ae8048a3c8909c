"""The live view's web page: its server, who may see it, and what it is told."""
