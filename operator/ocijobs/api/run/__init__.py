"""OCIJobRun: one execution of a job, with its overrides."""
