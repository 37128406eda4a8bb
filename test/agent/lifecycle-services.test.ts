import { localAgent } from "../support/lifecycle/local-agent.ts"
import { servicesSuite } from "../support/lifecycle/services-suite.ts"
import { sanitizedBuild } from "./agent.ts"

servicesSuite("a local agent", localAgent(sanitizedBuild))
