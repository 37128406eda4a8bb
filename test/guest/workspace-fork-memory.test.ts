import { forkMemorySuite } from "../support/suites/fork-memory-suite.ts"

// test/soak/workspace-fork-memory.test.ts has resets, pauses, exports and forks of snapshots, too.
forkMemorySuite("common")
