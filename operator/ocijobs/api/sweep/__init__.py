"""OCIJobSweep: many runs of one job, and the best of them."""
