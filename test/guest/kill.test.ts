import { killSuite } from "../support/suites/kill-suite.ts"

killSuite(2)
