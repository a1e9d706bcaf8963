"""Helpers of the paper companion to Li et al. 2025 (ruxolitinib for refractory RD-MAS)."""
