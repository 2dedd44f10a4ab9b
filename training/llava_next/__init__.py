"""Exports LLaVA-NeXT from Hugging Face weights for transformers.js, which has no class for it: see export.py."""
