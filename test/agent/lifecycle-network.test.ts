import { describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { networkSuite } from "../support/lifecycle/network-suite.ts"
import { sanitizedBuild } from "./agent.ts"

const driver = localAgent(sanitizedBuild)

if (driver.triesNetwork) networkSuite("a local agent", driver)
else describe.skip("the network of a workspace", () => it("skipped: the kernel lets only root steer", () => {}))
