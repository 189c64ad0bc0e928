"""One plug-in of each kind, about tides."""
