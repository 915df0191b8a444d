// Nothing: with an assembly file in the package, functions without a body may be linked by name.
