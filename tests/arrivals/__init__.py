"""Where raw notifications arrive: one contract over every kind of queue."""
