"""How we speak HTML."""
