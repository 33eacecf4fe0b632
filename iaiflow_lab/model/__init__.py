"""Pure data and pure functions: flows, runs, events, rules. No I/O."""
