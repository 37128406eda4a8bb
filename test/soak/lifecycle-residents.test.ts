import { microVms } from "../support/lifecycle/micro-vms.ts"
import { portSuite } from "../support/lifecycle/port-suite.ts"
import { savedSuite } from "../support/lifecycle/saved-suite.ts"
import { servicesSuite } from "../support/lifecycle/services-suite.ts"
import { shellsSuite } from "../support/lifecycle/shells-suite.ts"
import { trySuite } from "../support/lifecycle/try-suite.ts"
import { vmmName } from "../support/vm/vmm.ts"

// test/agent has these over a local process. Here a guest's own kernel has the sockets and terminals.
servicesSuite(vmmName, microVms())
shellsSuite(vmmName, microVms())
portSuite(vmmName, microVms(), 21_400)
trySuite(vmmName, microVms())
savedSuite(vmmName, microVms())
