"""A made-up marketplace: pure numpy, no database. It is the demo and load generator.

Nothing measured on it says how good a model is: the simulator decides who likes what.
"""
