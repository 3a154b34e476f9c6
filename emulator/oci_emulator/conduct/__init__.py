"""How the services conduct themselves: the rules and the lags that can be chosen."""
