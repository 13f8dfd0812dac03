"""The desk's Telegram: what rings, what comes back, who is who."""
