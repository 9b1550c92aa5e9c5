"""The web server: health and metrics, request limits, and the pages for downloads and verification."""
