import { microVms } from "../support/lifecycle/micro-vms.ts"
import { processesSuite } from "../support/lifecycle/processes-suite.ts"
import { vmmName } from "../support/vm/vmm.ts"

processesSuite(vmmName, microVms())
