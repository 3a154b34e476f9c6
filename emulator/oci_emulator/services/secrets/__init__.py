"""Vault secrets, as far as clients read them."""
