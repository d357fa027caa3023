"""Starts servers, drives them, reads what they spend, and writes it down. Standard library only."""
