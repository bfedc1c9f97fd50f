"""What is done about copies that are wrong: put aside, written down, healed, or given up as lost."""
