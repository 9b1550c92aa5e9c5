"""Exports and downloads for coordinators."""
