import { flattenSuite } from "../support/suites/flatten-suite.ts"

// test/agent/lifecycle-merge.test.ts has every point over a local process; test/soak/workspace-flatten.test.ts has all of it with microVMs.
flattenSuite(["flatten:linked"], { stopped: false })
