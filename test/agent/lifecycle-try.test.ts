import { localAgent } from "../support/lifecycle/local-agent.ts"
import { trySuite } from "../support/lifecycle/try-suite.ts"
import { sanitizedBuild } from "./agent.ts"

trySuite("a local agent", localAgent(sanitizedBuild))
