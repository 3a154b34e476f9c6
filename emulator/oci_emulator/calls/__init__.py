"""What the services get and give: calls and their answers, errors, pages."""
