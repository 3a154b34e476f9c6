"""Resource Search: finding resources of all services by their attributes."""
