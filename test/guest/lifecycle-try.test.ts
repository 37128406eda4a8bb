import { microVms } from "../support/lifecycle/micro-vms.ts"
import { trySuite } from "../support/lifecycle/try-suite.ts"
import { vmmName } from "../support/vmm.ts"

trySuite(vmmName, microVms())
