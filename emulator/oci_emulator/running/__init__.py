"""Running things for real: artifacts, environments, processes. It knows no service."""
