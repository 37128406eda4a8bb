import { faultSuite } from "../support/lifecycle/fault-suite.ts"
import { microVms } from "../support/lifecycle/micro-vms.ts"
import { vmmName } from "../support/vmm.ts"

// test/agent visits every point, and test/soak does with microVMs.
faultSuite(vmmName, microVms(), { around: "commits" })
