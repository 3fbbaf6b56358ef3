"""Who somebody is: profiles, their identifiers, and the endpoints that change them."""
