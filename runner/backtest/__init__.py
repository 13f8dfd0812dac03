"""Backtests: the runner's engine and the paper venue on history, from the command line."""
