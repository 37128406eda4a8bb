import { makeBeginRpcs } from "./begin-rpcs.ts"
import { InputRpcs } from "./input-rpcs.ts"
import { makePyroRpcs } from "./rpc.ts"

/** What a daemon is asked by its clients: every operation, and what only these two say to each other. */
export const makeDaemonRpcs = () => makePyroRpcs().merge(makeBeginRpcs(), InputRpcs)
