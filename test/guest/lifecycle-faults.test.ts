import { faultSuite } from "../support/lifecycle/fault-suite.ts"
import { microVms } from "../support/lifecycle/micro-vms.ts"
import { vmmName } from "../support/vm/vmm.ts"

// One crash of each kind that a VM can make another: of its start, its memory, its disk and its end. test/agent visits every point, and
// test/soak does with microVMs.
faultSuite(vmmName, microVms(), {
  around: "commits",
  causes: ["create", "pause", "the start of a process", "the end of a VM", "fork"]
})
