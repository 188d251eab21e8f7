"""The rooms of machine code: instructions printed as C, compiled by the user's compiler, kept between runs, and loaded."""
