"""The way in which unmodified clients come: a proxy for the real host names."""
