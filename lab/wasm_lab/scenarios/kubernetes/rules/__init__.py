"""What schemas cannot say: how the parts of an object, and objects among each other, must fit.

Each rule takes an object that fits its schema well enough to be read, and yields problems. Fields of the wrong
type are the schema's to report; rules pass over them.
"""
