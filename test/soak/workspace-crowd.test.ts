import { afterAll, describe } from "vitest"
import { installation } from "../support/installation.ts"
import { crowdTest } from "../support/suites/crowd-test.ts"

const pyro = installation("pyro-soak-crowd-")
afterAll(pyro.close)

describe("many at once", () => crowdTest(pyro, 20))
