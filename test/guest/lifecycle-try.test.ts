import { microVms } from "../support/lifecycle/micro-vms.ts"
import { trySuite } from "../support/lifecycle/try-suite.ts"
import { vmmName } from "../support/vm/vmm.ts"

// What a VM can make another. test/agent has every case over a local process, and test/soak/lifecycle-residents.test.ts has with microVMs.
trySuite(vmmName, microVms(), { cases: "of the VMM" })
