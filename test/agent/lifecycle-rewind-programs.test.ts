import { testProgramsRewind, testSlowPoints } from "../support/lifecycle/programs-rewind-suite.ts"
import { sanitizedBuild } from "./agent.ts"

testProgramsRewind("writes of programs, with points of the disk", sanitizedBuild, { hasMemoryPoints: false })
testProgramsRewind("writes of programs, with points of memory", sanitizedBuild, { hasMemoryPoints: true })
testSlowPoints("writes of programs, with points of memory that take long", sanitizedBuild)
