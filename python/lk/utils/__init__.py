"""Prompts, and the compile workflows over them."""
