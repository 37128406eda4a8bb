import { tryMemorySuite } from "../support/try-memory-suite.ts"

// test/soak/workspace-try-memory.test.ts has what a kept candidate does later, too.
tryMemorySuite("common")
