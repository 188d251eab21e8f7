"""From groups of scalar operations to loops over strided memory."""
