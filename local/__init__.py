"""Runs Handrail on one machine: finds or starts its servers and keeps its processes alive."""
