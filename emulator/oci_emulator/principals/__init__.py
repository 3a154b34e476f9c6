"""Who calls, how it is proven, and what it may do in which compartment."""
