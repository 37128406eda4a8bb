import { tryMemorySuite } from "../support/suites/try-memory-suite.ts"

// test/soak/workspace-try-memory.test.ts has what a kept candidate does later, too.
tryMemorySuite("common")
