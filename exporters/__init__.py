"""Files of other tools: a writer and a reader of each format."""
