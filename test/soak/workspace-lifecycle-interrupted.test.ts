import { afterAll } from "vitest"
import { installation } from "../support/installation.ts"
import { interruptedSuite } from "../support/suites/interrupted-suite.ts"

const pyro = installation("pyro-soak-interrupted-")
afterAll(pyro.close)

interruptedSuite(pyro, [120, 170, 220, 270, 320, 380, 450])
