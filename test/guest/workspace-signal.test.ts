import { signalStorm } from "../support/suites/signal-storm.ts"

// test/soak/workspace-signal.test.ts has more rounds.
signalStorm(10)
