"""The rooms of tensors: groups of scalar operations become loops over strided memory."""
