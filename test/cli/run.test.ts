import { buildFake } from "./build-fake.ts"
import { runCases } from "./run-cases.ts"

runCases("the built command line", buildFake())
