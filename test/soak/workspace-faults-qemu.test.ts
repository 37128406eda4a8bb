import { qemuKilledSuite } from "../support/suites/qemu-killed-suite.ts"

// test/guest/workspace-faults-qemu.test.ts has one of each kind, in `npm test`.
qemuKilledSuite({
  snapshot: ["take:paused"],
  fork: ["fork:staged", "fork:committed", "take:captured"],
  reset: ["reset-to:built"],
  deletion: ["delete:committed"]
})
