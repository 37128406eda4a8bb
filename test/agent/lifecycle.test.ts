import { lifecycleSuite } from "../support/lifecycle/lifecycle-suite.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { sanitizedBuild } from "./agent.ts"

lifecycleSuite("a local agent", localAgent(sanitizedBuild))
