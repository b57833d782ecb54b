"""The ledger of claims: what is claimed, what others published, what this machine measured."""
