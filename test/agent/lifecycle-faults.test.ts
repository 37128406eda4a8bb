import { faultSuite } from "../support/lifecycle/fault-suite.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { sanitizedBuild } from "./agent.ts"

faultSuite("a local agent", localAgent(sanitizedBuild))
