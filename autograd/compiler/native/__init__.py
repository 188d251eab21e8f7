"""The rooms of machine code: C text compiled by the user's compiler, kept between runs, and loaded."""
