"""The promises of the house, checked on the live data of a running stack. Reads everything, changes nothing."""
