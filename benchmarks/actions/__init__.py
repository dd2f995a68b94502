"""`spikeport bench actions`: the spiking event-and-skeleton system on made actions, whole and with parts left out."""
