"""Networks of ReLUs turned into networks of spikes."""
