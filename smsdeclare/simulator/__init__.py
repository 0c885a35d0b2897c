"""A simulator of the OVHcloud SMS API: the embedded provider, and the tests' independent witness."""
