"""Events of a simulated event camera, from videos."""
