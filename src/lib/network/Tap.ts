import { Data, Effect, FiberSet, Schedule, type Scope, Semaphore } from "effect"
import { randomInt } from "node:crypto"
import { openFile, readIfReadable } from "../../system/files/content.ts"
import { nativeTool } from "../../system/processes/native.ts"
import { nowMs } from "../../system/waits/time.ts"
import { addressRecords, RCODE } from "./both/tap/dns-message.ts"
import type { DeniedMessage, QuestionMessage, ReplyMessage } from "./both/tap/protocol.ts"
import { grantScript, OUTSIDE, ruleset } from "./both/tap/ruleset.ts"
import { keepRunning, startTranslator, TapRun } from "./daemon/tap/children.ts"
import { judgeResolved, KnownNames } from "./daemon/tap/grants.ts"
import { TYPE_AAAA } from "./Dialler.ts"
import { type Address, ownAddresses, readAddress } from "./model/address.ts"
import type { Denied } from "./model/judge.ts"
import type { Rules } from "./model/policy.ts"

/** The host cannot connect the network. */
export class TapFailed extends Data.TaggedError("TapFailed")<{
  /** A sentence without its full stop. */
  readonly detail: string
}> {
  override get message() {
    return this.detail
  }
}

/** Result of a look-up. */
export type Found =
  | { readonly _tag: "Addresses"; readonly addresses: ReadonlyArray<string> }
  | { readonly _tag: "Records"; readonly records: Uint8Array; readonly count: number }
  | { readonly _tag: "NoSuchName" | "NoData" | "ServerFailure" }
  | { readonly _tag: "Denied"; readonly denied: Denied }

export interface Question {
  readonly name: string
  readonly type: number
}

/** Packets of the guest that the firewall has denied. */
export type DeniedFlow = Omit<DeniedMessage, "_tag">

export interface TapOptions {
  /** A process in the network namespace. */
  readonly pid: number
  /** Argument of the processes, by which sweeps find them. */
  readonly tag: string
  readonly rules: Rules
  /** Judges a name, and asks for its addresses or records. */
  readonly lookUp: (question: Question, rules: Rules) => Effect.Effect<Found>
  /** The policy has denied a name, or all of its addresses. */
  readonly onDeniedName: (question: Question, denied: Denied) => Effect.Effect<void>
  /** The firewall has denied packets. `names` are those that the guest got the address for, the newest first. */
  readonly onDeniedFlow: (flow: DeniedFlow, names: ReadonlyArray<string>) => Effect.Effect<void>
}

/**
 * The network behind the tap device of one namespace, until the Scope closes: firewall, look-ups and translator. `native/tap/tap.c`, which
 * `vm/driver/qemu/qemu-process.ts` starts, makes the device itself.
 */
export interface Tap {
  /** Replaces the policy at once. Flows that it forbids are reset with their next packet. */
  readonly change: (rules: Rules) => Effect.Effect<void, TapFailed>
}

/** Programs may keep an answer this long. */
const TTL_SECONDS = 30

/** The first number is random, so that no mark of an earlier daemon is valid. Marks have 32 bits. */
const MAX_FIRST_NUMBER = 2 ** 31

/** How often the host's own addresses are looked at: new ones are denied too. */
const LOOK_EVERY = "2 seconds"

const sameAddresses = (one: ReadonlyArray<Address>, other: ReadonlyArray<Address>) =>
  one.length === other.length && one.every(({ value }, at) => value === other[at]?.value)

const CODES = { NoSuchName: RCODE.noSuchName, NoData: RCODE.ok, ServerFailure: RCODE.serverFailure } as const

const failedBy = ({ message }: Error) => new TapFailed({ detail: message })

/** Time for the translator to make its device, in all and between two looks, in ms. */
const CONNECT_MS = 2_000
const LOOK_MS = 10

/** Default routes of IPv4 and IPv6 in the texts of the kernel. */
const DEFAULT_ROUTES = [
  ["route", new RegExp(`^${OUTSIDE.device}\\t00000000\\t`, "m")],
  ["ipv6_route", new RegExp(`^0{32} 00 .* ${OUTSIDE.device}$`, "m")]
] as const

/** Waits until the namespace has a default route. A host without a network has none to give. */
const connected = (pid: number) =>
  Effect.sync(() => DEFAULT_ROUTES.some(([file, line]) => line.test(readIfReadable(`/proc/${pid}/net/${file}`) ?? "")))
    .pipe(
      Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced(LOOK_MS) }),
      Effect.timeoutOrElse({
        duration: CONNECT_MS,
        orElse: () => Effect.logWarning("the network is not connected to the host's yet")
      }),
      Effect.interruptible
    )

/**
 * Connects a network namespace that has a device `guest` to this process's network: first the firewall, which forwards only what the policy allows,
 * then the translator. Their processes end with the Scope, and with this process.
 */
export const openTap = (options: TapOptions): Effect.Effect<Tap, TapFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const { lookUp, onDeniedFlow, onDeniedName, pid, tag } = options
    // The Scope ends the answers to the guest.
    const fork = yield* FiberSet.makeRuntime<never>()
    const namespace = yield* Effect.mapError(openFile(`/proc/${pid}/ns/net`, "r"), failedBy)
    const deniedTool = yield* Effect.mapError(nativeTool("pyro-denied"), failedBy)
    const known = new KnownNames()
    const inForce = { rules: options.rules, own: ownAddresses(), policyNumber: randomInt(MAX_FIRST_NUMBER) }

    const reply = (id: number, message: Partial<Omit<ReplyMessage, "_tag" | "id">>) =>
      Effect.sync(() => current().reply({ id, code: RCODE.ok, records: "", count: 0, script: "", ...message }))
    const deny = (question: QuestionMessage, denied: Denied) =>
      Effect.andThen(onDeniedName(question, denied), reply(question.id, { code: RCODE.noSuchName }))

    /** Tells the firewall before the guest, by the present rules. */
    const replyWith = (question: QuestionMessage, found: ReadonlyArray<string>, atMs: number) =>
      Effect.suspend(() => {
        const { own, rules } = inForce
        const { addresses, denied } = judgeResolved(rules, question.name, found, own)
        if (denied !== undefined) return deny(question, denied)
        const family = question.type === TYPE_AAAA ? 6 : 4
        const asked = addresses.map((text) => readAddress(text)!).filter((address) => address.family === family)
        return reply(question.id, {
          records: addressRecords(question.type, asked, TTL_SECONDS).toString("base64"),
          count: asked.length,
          script: grantScript(known.add(rules, question.name, addresses, atMs))
        })
      })

    const answer = (question: QuestionMessage): Effect.Effect<void> =>
      Effect.gen(function*() {
        const { rules } = inForce
        const found = yield* lookUp(question, rules)
        const atMs = yield* nowMs
        // Another policy came meanwhile, which may judge the name in another way.
        if (inForce.rules !== rules) return yield* answer(question)
        switch (found._tag) {
          case "Denied":
            return yield* deny(question, found.denied)
          case "Records": {
            const records = Buffer.from(found.records).toString("base64")
            return yield* reply(question.id, { records, count: found.count })
          }
          case "Addresses":
            return yield* replyWith(question, found.addresses, atMs)
          default:
            return yield* reply(question.id, { code: CODES[found._tag] })
        }
      })

    const current: () => TapRun = yield* keepRunning("the process of the network", (onEnd) =>
      new TapRun({ namespace, tag, deniedTool }, {
        onEnd,
        onQuestion: (question) =>
          void fork(answer(question)),
        onDenied: (flow) => void fork(onDeniedFlow(flow, known.namesOf(flow.address)))
      }))

    const one = yield* Semaphore.make(1)
    /** Loads the firewall. After a failure, the firewall and `inForce` have the state before. */
    const load = (next: Partial<Pick<typeof inForce, "own" | "rules">>) =>
      Effect.gen(function*() {
        const { own, rules } = inForce
        Object.assign(inForce, next, { policyNumber: inForce.policyNumber + 1 })
        const script = ruleset(inForce.rules, { ...inForce, grants: known.grants(inForce.rules, yield* nowMs) })
        const failure = yield* Effect.promise(() =>
          current().apply(script)
        )
        if (failure === undefined) return
        Object.assign(inForce, { own, rules })
        return yield* new TapFailed({ detail: `the firewall was not set: ${failure}` })
      }).pipe(one.withPermits(1), Effect.uninterruptible)

    const ready = yield* Effect.promise(() => current().ready)
    if (ready !== undefined) return yield* new TapFailed({ detail: ready })
    yield* load({})
    yield* keepRunning("pasta", (onEnd) => startTranslator(namespace, tag, onEnd))
    yield* connected(pid)
    yield* Effect.gen(function*() {
      const own = ownAddresses()
      if (!sameAddresses(own, inForce.own)) yield* Effect.ignoreCause(load({ own }))
    }).pipe(Effect.delay(LOOK_EVERY), Effect.forever, Effect.forkScoped)

    return { change: (rules) => load({ rules }) }
  })
