import { Effect, Exit, Layer, Scope } from "effect"
import * as net from "node:net"
import { createInterface } from "node:readline"
import { Dialler } from "../../../src/lib/network/Dialler.ts"
import type { Policy } from "../../../src/lib/network/model/policy.ts"
import type { Tap } from "../../../src/lib/network/Tap.ts"
import { VmId } from "../../../src/lib/vm/model/record.ts"
import type { NewRecord } from "../../../src/workspace/residents/network/log.ts"
import { serveTap } from "../../../src/workspace/residents/network/tap.ts"
import { type Granted, grantedBy } from "../../../src/workspace/residents/policy/policy.ts"

// The daemon's part for one network device, on the host of the test: `tap-daemon PID ID`. Reads a policy per line, and prints a line when the policy
// holds. Prints each entry of the network log.

const [, , pid = "", id = ""] = process.argv

const granted = (policy: Partial<Policy>) =>
  Effect.fromResult(grantedBy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [], ...policy }))

const tell = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`)

const run = <A, E>(effect: Effect.Effect<A, E, Dialler>) =>
  Effect.runPromise(Effect.provide(Effect.orDie(effect), context))

const scope = Effect.runSync(Scope.make())
const context = await Effect.runPromise(
  Layer.buildWithScope(Dialler.layer, scope)
)
let current: Granted | undefined
let tap: Tap | undefined

const open = Effect.gen(function*() {
  const dialler = yield* Dialler
  const record = (entry: NewRecord) => Effect.sync(() => tell({ entry }))
  const vm = { id: VmId.make(id), process: { pid: Number(pid), startTicks: 0, bootId: "" } }
  return yield* Scope.provide(serveTap(vm, { dialler, group: "a", record, rules: () => current!.rules }), scope)
})

/** Policies are taken one after the other. */
const take = async (policy: Partial<Policy>) => {
  current = await run(granted(policy))
  if (tap === undefined) tap = await run(open)
  else await run(Effect.orDie(tap.change(current.rules)))
  tell({ inForce: true })
}

let taking = Promise.resolve()
createInterface(process.stdin).on("line", (line) => taking = taking.then(() => take(JSON.parse(line))))
  .on("close", async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    process.exit(0)
  })

// A service of the host itself.
net.createServer((socket) => socket.on("error", () => {}).end("the host itself\n")).listen(80, "0.0.0.0")
