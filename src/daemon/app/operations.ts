import { type Context, Effect, Stream } from "effect"
import {
  inspectEnvironment,
  listEnvironments,
  pruneEnvironments,
  removeEnvironments
} from "../../building/environments.ts"
import {
  buildEnvironment,
  type ChangesOf,
  commitWorkspace,
  exportedEnvironment,
  importEnvironment,
  pullEnvironment
} from "../../building/making.ts"
import type { PyroError } from "../../contract/errors/errors.ts"
import type {
  ErrorOf,
  EventOf,
  Operation,
  OperationName,
  OperationOf,
  PayloadOf,
  ResultOf
} from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import { Pool } from "../../lib/vm/Pool.ts"
import { keepersOf } from "../../workspace/life/records/keepers.ts"
import type { HouseFailure, WorkspacesOperation } from "../../workspace/operations/work.ts"
import { showHostLists } from "../../workspace/residents/network/show.ts"
import { showConfiguration } from "./configuration.ts"
import { daemonLogs, daemonStatus, daemonStatusWithMetrics, daemonStop, daemonTimings } from "./daemon-control.ts"
import { diskUsage } from "./disk/usage.ts"
import { doctor } from "./doctor/doctor.ts"
import { gc } from "./gc.ts"
import { ui } from "./page.ts"
import { prepare } from "./prepare.ts"
import { run } from "./run.ts"
import type { HostServices } from "./services.ts"
import { dropSpooled, putSpooled, takeSpooled } from "./spooled.ts"

/** The result of a removal, with what still keeps the removed images, and the use of the disk after it. */
const withDisk = <A extends { readonly removed: ReadonlyArray<string> }, E, R>(removal: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const result = yield* removal
    const keptBy = yield* keepersOf(new Set(result.removed))
    return { ...result, ...(keptBy.length === 0 ? {} : { keptBy }), disk: yield* diskUsage }
  })

/** Operations of this host, which need no workspace. */
type HostOperation = Exclude<OperationName, WorkspacesOperation>

type WorkOf<Name extends HostOperation> = OperationOf<Name> extends { readonly kind: "streaming" }
  ? (payload: PayloadOf<Name>, input?: RunInput) => Stream.Stream<EventOf<Name>, ErrorOf<Name>, HostServices>
  : (payload: PayloadOf<Name>) => Effect.Effect<ResultOf<Name>, ErrorOf<Name>, HostServices>

type HostWorks = { readonly [Name in HostOperation]: WorkOf<Name> }

/** Parts of the process that some operations use. */
interface HostParts {
  /** Whether the process stays: `run` then takes its microVM from the pool. */
  readonly isResident: boolean
  readonly pool: Effect.Effect<Pool["Service"], HouseFailure>
  readonly changesOf: ChangesOf
  readonly pyro: () => PyroService
}

/** The work of each operation of the host. */
export const hostWorks = ({ changesOf, isResident, pool, pyro }: HostParts) => {
  /** Work that takes microVMs from the pool, or its room. */
  const pooled = <A, E, R>(work: Stream.Stream<A, E, R>) =>
    isResident
      ? Stream.unwrap(Effect.map(pool, (pool) => Stream.provideService(work, Pool, pool)))
      : work
  return {
    run: (payload, input) => pooled(run(payload, input)),
    "ui": (payload) => ui(pyro(), payload),
    "network.lists": () => showHostLists,
    "env.list": () => listEnvironments,
    "env.pull": (payload) => pooled(pullEnvironment(pyro())(payload)),
    "env.inspect": ({ environment }) => inspectEnvironment(environment),
    "env.build": (payload) => pooled(buildEnvironment(payload, pyro())),
    "env.import": (payload, input) => pooled(importEnvironment(pyro())(payload, input)),
    "env.export": (payload) => pooled(exportedEnvironment(pyro())(payload)),
    "workspace.commit": (payload) => pooled(commitWorkspace(payload, changesOf, pyro())),
    "env.rm": ({ environments }) => withDisk(removeEnvironments(environments)),
    "env.prune": () => withDisk(pruneEnvironments),
    doctor,
    prepare: (payload) => prepare(pyro())(payload),
    config: () => showConfiguration,
    gc: () => gc,
    "daemon.status": () => isResident ? daemonStatusWithMetrics : daemonStatus,
    "daemon.stop": () => daemonStop,
    "daemon.logs": daemonLogs,
    "daemon.timings": daemonTimings,
    "spool.put": putSpooled,
    "spool.take": takeSpooled,
    "spool.drop": dropSpooled
  } satisfies HostWorks
}

/** The work of any operation of the table. */
type AnyWork = (
  payload: unknown,
  input?: RunInput
) => Effect.Effect<unknown, PyroError, HostServices> | Stream.Stream<unknown, PyroError, HostServices>

/** The call of an operation of the host. */
export const callOfHost = (
  works: HostWorks,
  { name }: Operation & { readonly name: HostOperation },
  services: Context.Context<HostServices>
) =>
(payload: unknown, input?: RunInput) => {
  const work = (works[name] as AnyWork)(payload, input)
  return Effect.isEffect(work) ? Effect.provide(work, services) : Stream.provideContext(work, services)
}
