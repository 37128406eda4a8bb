import { afterAll } from "vitest"
import { installation } from "../support/installation.ts"
import { interruptedSuite } from "../support/suites/interrupted-suite.ts"

const pyro = installation("pyro-interrupted-")
afterAll(pyro.close)

interruptedSuite(pyro, [220, 450])
