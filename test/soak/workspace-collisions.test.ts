import { afterAll } from "vitest"
import { collisionSuite } from "../support/collision-suite.ts"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-soak-collisions-")
afterAll(pyro.close)

collisionSuite(pyro, 4)
