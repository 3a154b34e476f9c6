"""Data Science: projects, jobs with their artifacts, and job runs."""
