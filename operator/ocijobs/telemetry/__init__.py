"""What the operator shows of itself: metrics, logs, and whether it is alive and ready."""
