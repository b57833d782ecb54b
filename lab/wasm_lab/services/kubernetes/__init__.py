"""Kubernetes on this machine: a real control plane, and a node that runs pods through CRI."""
