"""Monitoring: metrics that clients post and that services write, and queries over them."""
