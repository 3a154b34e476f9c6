"""What this process has learnt of each object from answers: memory, which is empty after a restart."""
