"""The part of the host that stands beside a guest inside the sandbox; ``README.md`` says how it is built."""
