import { localAgent } from "../support/lifecycle/local-agent.ts"
import { processesSuite } from "../support/lifecycle/processes-suite.ts"
import { sanitizedBuild } from "./agent.ts"

processesSuite("a local agent", localAgent(sanitizedBuild))
