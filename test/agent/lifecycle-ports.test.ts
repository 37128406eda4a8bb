import { localAgent } from "../support/lifecycle/local-agent.ts"
import { portSuite } from "../support/lifecycle/port-suite.ts"
import { sanitizedBuild } from "./agent.ts"

portSuite("a local agent", localAgent(sanitizedBuild), 21_300)
