"""The status page: what is measured of the platform, incidents, and who hears of them."""
