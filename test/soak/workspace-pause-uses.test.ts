import { pauseUsesSuite } from "../support/suites/pause-uses-suite.ts"

// test/guest/workspace-pause-uses.test.ts has one use of each kind of work, in `npm test`.
pauseUsesSuite("all")
