"""What several kinds have: metadata, conditions and reasons, variables, dependencies."""
