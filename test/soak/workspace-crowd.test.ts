import { afterAll, describe } from "vitest"
import { crowdTest } from "../support/crowd-test.ts"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-soak-crowd-")
afterAll(pyro.close)

describe("many at once", () => crowdTest(pyro, 20))
