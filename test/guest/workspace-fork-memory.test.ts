import { forkMemorySuite } from "../support/fork-memory-suite.ts"

// test/soak/workspace-fork-memory.test.ts has resets, pauses, exports and forks of snapshots, too.
forkMemorySuite("common")
