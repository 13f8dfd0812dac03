"""What ``make run`` starts: everything plutarc consists of, under one process that minds it."""
