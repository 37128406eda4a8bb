import { pointsOf } from "../support/fault-points.ts"
import { flattenSuite } from "../support/flatten-suite.ts"

// test/guest/workspace-flatten.test.ts has one of each kind, in `npm test`.
flattenSuite(pointsOf("flatten"), { stopped: true })
