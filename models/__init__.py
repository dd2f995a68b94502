"""The zoo: one architecture in one file, and neurons that train fast."""
