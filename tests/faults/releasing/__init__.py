"""The toy host as several processes, with a hand that promotes releases under them."""
