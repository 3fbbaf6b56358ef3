"""The channels by which people are told, as Apprise reaches them."""
