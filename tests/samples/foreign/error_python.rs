// Python by habit.
//@ error: expected
//@ line: 4
def greet(name):
    print("hello", name)
