"""What others see of the operator itself: metrics, logs, and whether it is alive and ready."""
