import { lifecycleSuite } from "../support/lifecycle/lifecycle-suite.ts"
import { microVms } from "../support/lifecycle/micro-vms.ts"
import { vmmName } from "../support/vm/vmm.ts"

lifecycleSuite(vmmName, microVms())
