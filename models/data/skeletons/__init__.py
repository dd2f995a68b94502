"""Recorded skeletons: the files of the public data sets, their splits, and the streams that networks take."""
