import { microVms } from "../support/lifecycle/micro-vms.ts"
import { layerFaultSuite, memoryFaultSuite } from "../support/lifecycle/rewind-fault-suite.ts"
import { isFirecracker, vmmName } from "../support/vm/vmm.ts"

const suite = isFirecracker ? memoryFaultSuite : layerFaultSuite
suite(vmmName, microVms())
