"""What the market pushes by websocket, as Binance USD-M documents it: market data, user data."""
