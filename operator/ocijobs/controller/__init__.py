"""The shell: watch, store, work queue, workers, the shared poll. It carries out decisions, and makes none."""
