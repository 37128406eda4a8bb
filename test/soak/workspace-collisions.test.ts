import { afterAll } from "vitest"
import { installation } from "../support/installation.ts"
import { collisionSuite } from "../support/suites/collision-suite.ts"

const pyro = installation("pyro-soak-collisions-")
afterAll(pyro.close)

collisionSuite(pyro, 4)
