// The room is being built: goes with the first real source.
