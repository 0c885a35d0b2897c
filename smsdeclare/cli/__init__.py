"""The package of the command line; from here on Python looks for cycles seldom."""

import gc

# Modules and plans hold many values and no cycles. To look for cycles as often as is the default takes a fifth of a
# large plan, and a twentieth of what a command takes to begin: so this stands before all other imports.
gc.set_threshold(200_000)
