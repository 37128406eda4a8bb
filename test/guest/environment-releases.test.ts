import { releaseCases } from "../support/environment/release-cases.ts"

// The default. test/images/releases.test.ts has the other release, whose environment would be built for three cases.
releaseCases("12")
