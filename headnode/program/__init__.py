"""The program that the SSM document runs on the head node: standard library only, Python 3.6 or newer.

headnode/joining.py joins these modules into one text when the document is made. `main` reads a request and prints the
answer; its docstring describes both. What few requests need is imported inside functions: the text then
compiles it only for those.
"""
