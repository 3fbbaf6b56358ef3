"""Whom rows may change: people who cannot be told apart, second profiles, gates."""
