"""The room of arrays, which is opened when NumPy is: its words on Values and arrays of Values mean the words of the table.

`elements` takes Values in and out of NumPy's own arrays; `words` says what universal functions mean, element by element;
`reductions`, `order` and `products` what is made of many elements; and `protocols` is the door: `Array`, and what it answers
when NumPy asks. Behind the door every array is one of NumPy's own class, so nothing in there asks again.
"""
