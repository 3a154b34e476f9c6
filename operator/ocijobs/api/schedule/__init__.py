"""OCIJobSchedule: what is wanted, and what is seen."""
