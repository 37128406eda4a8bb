import { releaseCases } from "../support/environment/release-cases.ts"

// test/guest/environment-releases.test.ts has the release that is the default, in `npm test`.
releaseCases("13")
