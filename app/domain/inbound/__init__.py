"""Mail that comes in: kept first, answered at once, and decided on by a worker."""
