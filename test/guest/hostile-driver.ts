import { Effect, Layer } from "effect"
import type { Socket } from "node:net"
import * as readline from "node:readline"
import type { Pyro } from "../../src/contract/rows/Pyro.ts"
import { layerDaemon } from "../../src/sdk/client.ts"
import { Account, HostileAgent } from "../support/hostile/agent.ts"
import { Corpus } from "../support/hostile/corpus.ts"
import { type Impostor, makeImpostor, readOriginals } from "../support/hostile/impostors.ts"
import { Random } from "../support/hostile/random.ts"
import { readSessions } from "../support/hostile/recording.ts"
import { anyOf, ask, Ends, requestsOf } from "../support/hostile/requests.ts"
import { lapsed } from "../support/until.ts"

/**
 * A process of its own, so that the daemon and the test have theirs: the agents of many workspaces that are hostile, and the client
 * that asks these workspaces for things. It makes them, says so, and storms as its stdin tells it.
 */
export interface StormOptions {
  readonly state: string
  /** Ids of the workspace that was recorded, and the file that holds what was. */
  readonly recorded: string
  readonly sessions: string
  readonly outside: string
  readonly outputs: string
  readonly connections: number
  /** Sent in a second, at most. */
  readonly framesPerSecond: number
  readonly seed: number
}

/** Answer to `frames N connections M`: sends so many frames over so many of the connections. */
export interface StormReport {
  readonly frames: number
  readonly mutated: number
  readonly connections: number
  readonly kept: number
  readonly mutations: Record<string, number>
  readonly requests: number
  readonly codes: Record<string, number>
  readonly violations: Record<string, number>
  readonly wrong: ReadonlyArray<string>
  /** Workspaces whose channel is gone. */
  readonly lost: ReadonlyArray<string>
}

const options = JSON.parse(process.argv[2] ?? "{}") as StormOptions
const random = new Random(options.seed)
const account = new Account()
const ends = new Ends()
const requests = requestsOf(options.outputs)

/** Hands out frames at the rate that was asked for, in turns of a hundredth of a second. */
const makePace = (perSecond: number) => {
  let at = performance.now()
  return async (frames: number) => {
    const now = performance.now()
    at = Math.max(at, now - 20) + frames / perSecond * 1_000
    if (at > now) await lapsed(at - now)
  }
}
const surroundings = {
  corpus: new Corpus(readSessions(options.sessions)),
  account,
  pace: makePace(options.framesPerSecond),
  outside: options.outside
}

interface Hostile extends Impostor {
  agent: HostileAgent | undefined
  readonly end: () => void
}

const make = async (): Promise<ReadonlyArray<Hostile>> => {
  const originals = readOriginals(options.state, options.recorded)
  const all: Array<Hostile> = []
  for (let made = 0; made < options.connections + SPARE; made++) {
    const own = random.fork()
    const hostile: { agent: HostileAgent | undefined } = { agent: undefined }
    const impostor = await makeImpostor(originals, (socket: Socket) => {
      hostile.agent = new HostileAgent(socket, own.fork(), surroundings)
    })
    all.push(Object.assign(hostile, impostor))
  }
  return all
}

/** Most requests to one workspace: a mutation may well change nothing. */
const MOST_REQUESTS = 60
/** Workspaces that are asked at a time. */
const AT_ONCE = 4
/** Made beside them, for what is unsent when all are over: those that were to go on to the end take a pause of a busy host for it. */
const SPARE = 24

/** Asks one workspace for things until its channel is gone; `budget` is asked again whenever it is used up. */
const drive = (hostile: Hostile, budget: () => number): Effect.Effect<void, never, Pyro> =>
  Effect.gen(function*() {
    const own = random.fork()
    const { workspace } = hostile
    for (let asked = 0; asked < MOST_REQUESTS && hostile.agent?.over === false;) {
      if (hostile.agent.budget <= 0) hostile.agent.budget = budget()
      const floods = hostile.agent.budget > 0
      if (!floods) asked++
      const name = floods ? own.pick(["exec", "exec", "exec with input", "logs"]) : anyOf(requests, own)
      yield* ask(requests, name, workspace, ends)
    }
    yield* ask(requests, "status", workspace, ends)
    yield* ask(requests, anyOf(requests, own), workspace, ends)
  })

/** Until so many mutated frames were sent in all, if these workspaces last that long. */
const storm = (all: ReadonlyArray<Hostile>, target: number): Effect.Effect<void, never, Pyro> => {
  const missing = () => Math.max(0, target - account.mutated)
  // Those at the end go on until what others left unsent is sent too.
  const lasting = all.length - Math.max(2 * AT_ONCE, Math.ceil(all.length / 10))
  return Effect.forEach(all, (one, index) =>
    Effect.suspend(() => {
      let share = Math.ceil(missing() / (all.length - index) * (0.5 + random.next()))
      return drive(one, () => {
        const now = index < lasting ? share : Math.min(missing(), Math.max(share, 500))
        share = 0
        return now
      })
    }), { concurrency: AT_ONCE, discard: true })
}

const say = (what: object) => process.stdout.write(JSON.stringify(what) + "\n")

const report = (all: ReadonlyArray<Hostile>): StormReport => ({
  frames: account.frames,
  mutated: account.mutated,
  connections: account.connections,
  kept: account.kept,
  mutations: account.mutations,
  requests: ends.requests,
  codes: ends.codes,
  violations: ends.violations,
  wrong: ends.wrong,
  lost: all.filter(({ agent }) => agent?.over !== false).map(({ workspace }) => workspace)
})

const all = await make()
say({ made: all.map(({ vm, workspace }) => ({ vm, workspace })) })
const unused = [...all]
const used: Array<Hostile> = []
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { connections, daemon, frames } = JSON.parse(line) as {
    readonly frames: number
    readonly connections: number
    readonly daemon: Parameters<typeof layerDaemon>[0]
  }
  const target = account.mutated + frames
  const stormOf = (count: number) => {
    const some = unused.splice(0, count)
    used.push(...some)
    return Effect.runPromise(storm(some, target).pipe(Effect.provide(Layer.orDie(layerDaemon(daemon)))))
  }
  await stormOf(connections)
  const isLast = used.length >= options.connections
  while (isLast && account.mutated < target && unused.length > 0) await stormOf(AT_ONCE)
  say(report(used))
}
for (const { end } of all) end()
process.exit(0)
