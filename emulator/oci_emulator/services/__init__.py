"""The services of the cloud, and what all of them stand on."""
