import { localAgent } from "../support/lifecycle/local-agent.ts"
import { savedSuite } from "../support/lifecycle/saved-suite.ts"
import { sanitizedBuild } from "./agent.ts"

savedSuite("a local agent", localAgent(sanitizedBuild))
