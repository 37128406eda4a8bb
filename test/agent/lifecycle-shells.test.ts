import { localAgent } from "../support/lifecycle/local-agent.ts"
import { shellsSuite } from "../support/lifecycle/shells-suite.ts"
import { sanitizedBuild } from "./agent.ts"

shellsSuite("a local agent", localAgent(sanitizedBuild))
