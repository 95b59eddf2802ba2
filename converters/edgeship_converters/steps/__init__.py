"""The arrows of the format graph, one module and one function each."""
