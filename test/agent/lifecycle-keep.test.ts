import { keepSuite } from "../support/lifecycle/keep-suite.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { sanitizedBuild } from "./agent.ts"

keepSuite("a local agent", localAgent(sanitizedBuild))
