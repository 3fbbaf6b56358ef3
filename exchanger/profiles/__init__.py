"""What happens to a profile: frames in, frames out, no I/O, no clock, no logging."""
