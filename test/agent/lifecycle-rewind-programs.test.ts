import { testProgramsRewind } from "../support/lifecycle/programs-rewind-suite.ts"
import { sanitizedBuild } from "./agent.ts"

testProgramsRewind("writes of programs, with points of the disk", sanitizedBuild, { hasMemoryPoints: false })
testProgramsRewind("writes of programs, with points of memory", sanitizedBuild, { hasMemoryPoints: true })
