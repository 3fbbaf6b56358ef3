"""Orders: lines that become ecommerce events, and what puts an order aside."""
