import { pauseUsesSuite } from "../support/suites/pause-uses-suite.ts"

// test/soak/workspace-pause-uses.test.ts has every use.
pauseUsesSuite("some")
