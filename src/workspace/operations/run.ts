import { Deferred, Effect, Option, Queue, Stream } from "effect"
import type { ChannelFailed } from "../../contract/errors/errors.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { RunEvent, RunPayload } from "../../contract/rows/run.ts"
import type { GuestProcess, ProcessExit, ProcessOutput } from "../../lib/guest-channel/model/process.ts"
import { filterPieces } from "../../lib/redaction/process.ts"
import type { SecretSet } from "../../lib/redaction/secrets.ts"
import type { Guest } from "../../lib/vm/model/guest.ts"
import { monotonicMs } from "../../system/waits/time.ts"
import { changeOf, silenceOf, standstillNotice, troubleText } from "../entry/standstill.ts"
import { explainChannelFailure } from "../life/engine/ended.ts"
import type { FreshWorkspace } from "../life/guest/boot.ts"
import type { RunOfImage } from "../life/guest/image-defaults.ts"
import { demandUser } from "../life/guest/workspace-user.ts"
import { type HeaderSecrets, unstoredHeaderSecrets } from "../residents/header-secret/header-secrets.ts"
import { serveRun } from "../residents/network/run.ts"
import type { Granted } from "../residents/policy/policy.ts"
import { Hints, OutputTail } from "../residents/program/command-hints.ts"
import {
  type EndingOptions,
  endingOptions,
  endOf,
  endProcess,
  feed,
  ranOut,
  spawnRequest
} from "../residents/program/command.ts"
import { makeHostTrust } from "../residents/program/guest-trust.ts"
import type { Variables } from "../residents/program/variables.ts"
import { mountSecrets, type SecretMount } from "../residents/secret/mount.ts"
import { unstoredSecrets } from "../residents/secret/workspace-secrets.ts"

type Output = Pick<ProcessOutput, "bytes" | "from">

/** Output of a process, without secrets, in the order of arrival. */
const filteredOutput = (process: GuestProcess, set: SecretSet | undefined): Stream.Stream<Output, ChannelFailed> =>
  set === undefined ? process.output : Stream.callback((queue) => {
    const { each, rest } = filterPieces({ set }, {
      begin: () => ({ from: 0, done: 0 }),
      lose: () => {},
      write: (from, bytes) => bytes.length === 0 ? Effect.void : Queue.offer(queue, { from, bytes })
    })
    return process.forEachOutput(each).pipe(Effect.andThen(rest), Effect.andThen(Queue.end(queue)))
  })

type Exited = Extract<RunEvent, { readonly _tag: "Exited" }>

/** Maximum wait for the end of a killed command. Its end is reported in any case, and the VM ends with the run. */
const killGraceMs = 3_000

/**
 * Runs the first command of a fresh workspace: Started, Output as it arrives, Exited. The end or the interruption of the stream ends
 * the workspace.
 */
export const runIn = (
  workspace: FreshWorkspace,
  payload: RunOfImage,
  input: RunInput,
  network: Granted | undefined,
  /** Time of the request, by the monotonic clock. */
  sinceMs: number
) =>
  Stream.unwrap(Effect.gen(function*() {
    const hints = new Hints()
    const secrets = unstoredSecrets(payload)
    const headerSecrets = yield* unstoredHeaderSecrets(payload.secretHttp ?? [], secrets)
    const env = { ...payload.env, ...yield* secrets.variables(payload.secretEnv) }
    const mounts = yield* secrets.mounts(payload.secretMount)
    const process = yield* startFirst(workspace, { ...payload, env }, { input, network, hints, mounts, headerSecrets })
    const bootMs = (yield* monotonicMs) - sinceMs
    yield* feed(process, input)
    const ending = endingOptions({
      graceMs: payload.graceSeconds * 1000,
      tty: payload.tty,
      stopSignal: payload.stopSignal
    })
    const deadline = yield* enforceDeadline(process, payload.timeoutSeconds, ending)
    if (input.interrupt !== undefined) {
      yield* Effect.forkScoped(Effect.andThen(input.interrupt, endProcess(process, "cancel", ending)))
    }
    const started: RunEvent = { _tag: "Started", bootMs }
    const tail = new OutputTail()
    const output = filteredOutput(process, secrets.set).pipe(
      Stream.map(({ bytes, from }): RunEvent => {
        tail.add(bytes)
        return { _tag: "Output", from, bytes }
      }),
      Stream.interruptWhen(Deferred.await(deadline.givenUp)),
      Stream.interruptWhen(workspace.guest.vm.health.failure)
    )
    const ended = Effect.gen(function*() {
      const exit = yield* Effect.raceFirst(
        Effect.asSome(process.exit),
        Effect.as(Deferred.await(deadline.givenUp), Option.none())
      )
      const exited = Option.getOrUndefined(exit)
      const late = (yield* Deferred.isDone(deadline.passed)) && ranOut(exited, ending)
      const event = exitedEvent(exited, late, bootMs, (yield* monotonicMs) - sinceMs)
      return [...hints.after(tail, event.status), event]
    }).pipe(Effect.raceFirst(workspace.guest.vm.health.failure))
    return Stream.make(started).pipe(
      Stream.concat(output),
      Stream.concat(Stream.fromIterableEffect(ended)),
      Stream.merge(troubles(workspace.guest), { haltStrategy: "left" }),
      (events) => explainStream(workspace.guest, events)
    )
  }))

interface FirstStart {
  readonly input: RunInput
  readonly network: Granted | undefined
  readonly hints: Hints
  readonly mounts: ReadonlyArray<SecretMount>
  readonly headerSecrets: HeaderSecrets
}

/** Starts the command. One round trip claims the VM and starts, unless the network, secrets or a check of the user must come first. */
const startFirst = (
  workspace: FreshWorkspace,
  payload: RunPayload,
  { headerSecrets, hints, input, mounts, network }: FirstStart
) =>
  Effect.gen(function*() {
    const { env, environment, secretHttp = [], user, workspaceUser } = payload
    const request = (variables: Variables) =>
      spawnRequest({ ...payload, env: { ...variables, ...env }, user: user ?? workspaceUser }, input)
    const isFirst = workspaceUser === "root" && network === undefined && mounts.length + secretHttp.length === 0
    if (isFirst) return yield* workspace.claim(request({}))
    const { channel } = workspace.guest
    yield* workspace.ready
    const served = network === undefined ? undefined : yield* serveRun(workspace.guest, network, headerSecrets)
    if (served !== undefined) hints.network = served.news
    const trust = network === undefined ? {} : yield* makeHostTrust(() => network)(channel)
    if (workspaceUser !== "root") yield* demandUser(channel, workspaceUser, environment)
    yield* mountSecrets(channel, mounts, user ?? workspaceUser)
    return yield* channel.spawn(request({ ...served?.variables, ...yield* headerSecrets.variables(channel), ...trust }))
  })

const exitedEvent = (exit: ProcessExit | undefined, late: boolean, bootMs: number, totalMs: number): Exited => {
  const durations = {
    totalMs,
    bootMs,
    commandMs: exit?.durationMs ?? totalMs - bootMs
  }
  return { _tag: "Exited", ...endOf(exit, late), durations }
}

/** Ends the command and all its processes at its timeout. */
const enforceDeadline = (process: GuestProcess, timeoutSeconds: number | undefined, ending: EndingOptions) =>
  Effect.gen(function*() {
    const passed = yield* Deferred.make<void>()
    const givenUp = yield* Deferred.make<void>()
    if (timeoutSeconds !== undefined) {
      yield* Effect.forkScoped(Effect.gen(function*() {
        yield* Effect.sleep(timeoutSeconds * 1000)
        yield* Deferred.succeed(passed, undefined)
        yield* endProcess(process, "timeout", ending)
        yield* Effect.sleep(killGraceMs)
        yield* Deferred.succeed(givenUp, undefined)
      }))
    }
    return { passed, givenUp }
  })

/** Adds a notice if a full host disk pauses the guest, and if the guest does not answer. */
const troubles = (guest: Guest): Stream.Stream<RunEvent> =>
  Stream.merge(
    Stream.map(Stream.drop(guest.vm.health.troubles, 1), (trouble): RunEvent => ({
      _tag: "Notice",
      level: "warning",
      message: troubleText(trouble)
    })),
    Stream.unfold(undefined as string | undefined, (before) =>
      Effect.map(
        changeOf(silenceOf(guest.channel), before),
        (now) => [standstillNotice(now) as RunEvent, now] as const
      ))
  )

const explainStream = <A, E, R>(guest: Guest, stream: Stream.Stream<A, E | ChannelFailed, R>) =>
  Stream.catch(stream, (failure) => Stream.fromEffect(explainChannelFailure(guest)(Effect.fail(failure))))
