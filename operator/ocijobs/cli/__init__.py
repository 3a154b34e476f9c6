"""kubectl-ocijobs: what people do beside `kubectl apply`."""
