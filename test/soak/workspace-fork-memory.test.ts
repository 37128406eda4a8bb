import { forkMemorySuite } from "../support/suites/fork-memory-suite.ts"

// test/guest/workspace-fork-memory.test.ts has the common cases, in `npm test`.
forkMemorySuite("all")
