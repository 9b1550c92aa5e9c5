"""What runs all the time: dispatch, delivery loop, due moments, threads, admission, heartbeat, metrics and logs."""
