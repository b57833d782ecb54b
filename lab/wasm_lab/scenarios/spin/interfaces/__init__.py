"""What Spin gives to components beside WASI: stores, databases, variables, requests; one module for each."""
