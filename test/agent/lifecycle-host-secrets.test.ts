import { hostSecretsSuite } from "../support/lifecycle/host-secrets-suite.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { sanitizedBuild } from "./agent.ts"

hostSecretsSuite("a local agent", localAgent(sanitizedBuild))
