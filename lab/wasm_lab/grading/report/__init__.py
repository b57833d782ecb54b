"""What a run of grading leaves for a person, a gradebook and a learning management system.

`views.grades.write_report` writes the whole folder; each module here makes one of its files.
"""
