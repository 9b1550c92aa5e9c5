"""What a coordinator works with: overview, digest, integrity checks, and downloads."""
