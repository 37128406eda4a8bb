import { pointsOf } from "../support/lifecycle/fault-points.ts"
import { flattenSuite } from "../support/suites/flatten-suite.ts"

// test/guest/workspace-flatten.test.ts has one of each kind, in `npm test`.
flattenSuite(pointsOf("flatten"), { stopped: true })
