import type { Effect } from "effect"
import type { Operation } from "../../contract/rows/operations.ts"
import type { House, HouseFailure } from "../../workspace/operations/work.ts"
import type { AnyCall, Process } from "./answer/call.ts"
import { exactNames } from "./answer/exact-names.ts"
import { recipes } from "./answer/recipes.ts"
import { redacted } from "./answer/redacted.ts"
import { roomed } from "./answer/room.ts"
import { unusedBeside } from "./answer/unused-beside.ts"
import { absolutePaths } from "./request/absolute-paths.ts"
import { attended } from "./request/attended.ts"
import { audited } from "./request/audited.ts"
import { caller } from "./request/caller.ts"
import { checked } from "./request/checked.ts"
import { confined } from "./request/confined.ts"
import { hold } from "./request/hold.ts"
import { withInput } from "./request/input.ts"
import { observed } from "./request/observed.ts"
import { permitted } from "./request/permitted.ts"
import type { RequestCall, Surroundings } from "./request/request.ts"
import { spooled } from "./request/spooled.ts"
import { alone } from "./workspaces/alone.ts"
import { crossing } from "./workspaces/crossing.ts"
import { edited } from "./workspaces/edited.ts"
import { found } from "./workspaces/found.ts"
import { placed } from "./workspaces/placed.ts"
import { pointed } from "./workspaces/pointed.ts"
import { quota } from "./workspaces/quota.ts"
import { remembered } from "./workspaces/remembered.ts"
import { unused } from "./workspaces/unused.ts"
import { woken } from "./workspaces/woken.ts"
import { callOfWork, type WorkspacesRow, type WorkWrap } from "./workspaces/work.ts"
import { surround, type Wrap } from "./wrap.ts"

// Everything that surrounds a call of the contract, outermost first. README.md says how to add a line.

/** Requests of clients and of pages enter here. */
const aroundRequests: ReadonlyArray<Wrap<RequestCall, Surroundings>> = [
  caller,
  attended,
  hold,
  audited,
  withInput,
  observed,
  checked,
  permitted,
  confined,
  spooled,
  absolutePaths
]

/** Programs with pyro in their own process enter here. No answer leaves pyro but through these lines. */
const aroundAnswers: ReadonlyArray<Wrap<AnyCall, Process>> = [
  redacted,
  exactNames
]

/** Pyro's own calls, such as those of a build, enter here. */
const aroundCalls: ReadonlyArray<Wrap<AnyCall, Process>> = [
  roomed,
  unusedBeside,
  recipes
]

/** Around the work in a workspace. */
const aroundWork: ReadonlyArray<WorkWrap> = [
  unused,
  found,
  remembered,
  woken,
  alone,
  placed,
  quota,
  crossing,
  pointed,
  edited
]

/** Who passes which lines. A caller that enters at a part passes all later parts too. */
export const list = [
  { enter: "requests to the daemon", wraps: aroundRequests },
  { enter: "programs with pyro in their own process", wraps: aroundAnswers },
  { enter: "pyro's own calls", wraps: aroundCalls },
  { enter: "calls on workspaces", wraps: aroundWork }
] as const

/** A request of a client, around the call that answers it. */
export const requestOf = (row: Operation, call: RequestCall, serving: Surroundings): RequestCall =>
  surround(aroundRequests, row, call, serving)

/** A call whose answer leaves pyro, around pyro's own call. */
export const answerOf = (row: Operation, call: AnyCall, process: Process): AnyCall =>
  surround(aroundAnswers, row, call, process)

/** Pyro's own call of an operation, around its work. */
export const ownCallOf = (row: Operation, work: AnyCall, process: Process): AnyCall =>
  surround(aroundCalls, row, work, process)

/** The work of an operation on workspaces as a call. */
export const workspaceCall = (row: WorkspacesRow, house: Effect.Effect<House, HouseFailure>): AnyCall =>
  callOfWork(aroundWork, row, house) as AnyCall
