"""What each login may do at the broker, and how the broker comes to know it."""
