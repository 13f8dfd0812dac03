"""Results of a workspace, a strategy or a bot in one mode; the database adds up."""
