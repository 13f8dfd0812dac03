"""Verbs and rules: the only place that changes rows."""
