"""What a job's runs have: machines, network, storage, logs."""
