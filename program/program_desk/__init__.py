"""What may be told of deliveries and due moments in digest, log and metrics."""
