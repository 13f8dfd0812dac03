"""Code strategies at work: a process of its own runs them, the runner asks it and never waits long.

Nothing of this is imported by web, gate or worker: they read a source and never run it.
"""
