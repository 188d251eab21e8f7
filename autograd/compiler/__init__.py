"""The rooms of compilation: a traced function, its simplification, the tensors in it, and the text that runs."""
