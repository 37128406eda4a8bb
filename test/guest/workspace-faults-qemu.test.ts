import { qemuKilledSuite } from "../support/suites/qemu-killed-suite.ts"

// test/soak/workspace-faults-qemu.test.ts has more points.
qemuKilledSuite({ snapshot: ["take:paused"], fork: ["fork:committed"], reset: [], deletion: ["delete:committed"] })
