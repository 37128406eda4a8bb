import { faultSuite } from "../support/lifecycle/fault-suite.ts"
import { qemu } from "../support/lifecycle/qemu.ts"

// test/agent visits every point, and test/soak does with microVMs.
faultSuite("QEMU", qemu(), { around: "commits" })
