import { editFaultSuite } from "../support/lifecycle/edit-fault-suite.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { layerFaultSuite, memoryFaultSuite, stopProcesses } from "../support/lifecycle/rewind-fault-suite.ts"
import { sanitizedBuild } from "./agent.ts"

layerFaultSuite("a local agent", localAgent(sanitizedBuild))
memoryFaultSuite("a local agent", localAgent(sanitizedBuild, { hasMemoryPoints: true }), { silence: stopProcesses })
editFaultSuite("a local agent", localAgent(sanitizedBuild))
