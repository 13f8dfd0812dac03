"""What strategies concluded, candle by candle: kept small, read back whole, counted."""
