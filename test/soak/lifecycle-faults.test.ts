import { faultSuite } from "../support/lifecycle/fault-suite.ts"
import { microVms } from "../support/lifecycle/micro-vms.ts"
import { vmmName } from "../support/vm/vmm.ts"

faultSuite(vmmName, microVms())
