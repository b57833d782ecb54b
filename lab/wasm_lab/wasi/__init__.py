"""WASI 0.1 as data, for any runtime: its calls, how to read their arguments, and who may make them.

- `tables`: every call, with its parameters, results and the capability that it needs;
- `decode` and `descriptors`: arguments and results out of guest memory, for people;
- `judge`: whether an answer was a refusal, and the flag that would mend it;
- `audit`: the record of a run's calls, bounded, and grouped when long;
- `missing`: what a module with unknown imports was made for;
- `refusals`: what a program's own words tell of refused calls.
"""
