import { microVms } from "../support/lifecycle/micro-vms.ts"
import { savedSuite } from "../support/lifecycle/saved-suite.ts"
import { vmmName } from "../support/vmm.ts"

savedSuite(vmmName, microVms())
