"""Real servers for scenarios: started in a temporary folder, waited for, stopped."""
