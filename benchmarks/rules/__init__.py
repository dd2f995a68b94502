"""What is billed as what: rules by name."""
