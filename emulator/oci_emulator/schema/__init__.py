"""The services' operations and models as data, and what is checked against them."""
