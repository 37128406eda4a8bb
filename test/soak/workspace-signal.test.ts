import { signalStorm } from "../support/suites/signal-storm.ts"

// test/guest/workspace-signal.test.ts has some rounds, in `npm test`.
signalStorm(40)
