import { keepSuite } from "../support/lifecycle/keep-suite.ts"
import { microVms } from "../support/lifecycle/micro-vms.ts"
import { vmmName } from "../support/vm/vmm.ts"

// What a VM can make another. test/agent has every case over a local process.
keepSuite(vmmName, microVms(), { cases: "of the VMM" })
