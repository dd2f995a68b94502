"""What a network is, how it gets in, how it is changed, how it runs."""
