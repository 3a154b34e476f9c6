"""Cron expressions and when they fire, as in Kubernetes. The package imports nothing else of the operator."""
