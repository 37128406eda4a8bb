import { pauseUsesSuite } from "../support/pause-uses-suite.ts"

// test/soak/workspace-pause-uses.test.ts has every use.
pauseUsesSuite("some")
