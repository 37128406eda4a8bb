import { tryMemorySuite } from "../support/suites/try-memory-suite.ts"

// test/guest/workspace-try-memory.test.ts has the common cases, in `npm test`.
tryMemorySuite("all")
