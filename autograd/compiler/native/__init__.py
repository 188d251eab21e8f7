"""The rooms of machine code: what the back end that compiles C is made of."""
