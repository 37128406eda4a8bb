import { testEditsRewind } from "../support/lifecycle/edits-rewind-suite.ts"
import { sanitizedBuild } from "./agent.ts"

testEditsRewind("steps of files, with points of the disk", sanitizedBuild, { hasMemoryPoints: false })
testEditsRewind("steps of files, with points of memory", sanitizedBuild, { hasMemoryPoints: true })
