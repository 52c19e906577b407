"""The program that the SSM document runs on the head node: standard library only, Python 3.6 or newer.

These modules are joined into one text when the document is made (headnode/joining.py). `main` reads a request and
prints the answer; its docstring describes both.
"""
