import { Effect, Option, Scope } from "effect"
import type { ChannelFailed, NetworkUnsupported } from "../../../contract/errors/errors.ts"
import type { NetworkInfo } from "../../../contract/rows/network-fields.ts"
import type { OpenConnection } from "../../../contract/rows/workspace-network.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { FirstIds } from "../../../lib/network/datagrams.ts"
import { Dialler, type DiallerService } from "../../../lib/network/Dialler.ts"
import type { Policy } from "../../../lib/network/model/policy.ts"
import type { HostRule } from "../../../lib/network/model/rule.ts"
import { type OncePermissions, oncePermissions } from "../../../lib/network/once.ts"
import type { SecretRegistry } from "../../../lib/redaction/secrets.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { clockReader } from "../../../system/waits/time.ts"
import type { Resident, ResidentVm } from "../../entry/resident.ts"
import type { HeaderSecrets, SecretHost } from "../header-secret/header-secrets.ts"
import { makeClients } from "../package-cache/clients.ts"
import { packageCaching } from "../package-cache/package-cache.ts"
import { type Granted, grantOf, isOn, nothingGranted } from "../policy/policy.ts"
import { workspaceSteps } from "../policy/steps.ts"
import { hintsOf } from "../program/command-hints.ts"
import { makeHostTrust } from "../program/guest-trust.ts"
import type { Variables } from "../program/variables.ts"
import { newsOf } from "./denials.ts"
import { turnOff, turnOn, watch } from "./guest.ts"
import { type ConnectionLog, openConnectionLog } from "./log.ts"
import { type Connecting, describeOpen, forbiddenBy, type Open } from "./open.ts"
import { makePace } from "./pace.ts"
import { serveRequests } from "./serve.ts"

/** The network of one workspace: its policy in this process, its connections, and their log. */
export interface Network {
  readonly log: ConnectionLog
  /** Serves a VM until its scope closes. The guest has the granted network already. */
  readonly begin: (vm: ResidentVm, granted: Granted | undefined) => Effect.Effect<void>
  /** The same for a guest that may have another network: memory of a snapshot, or a change that a crash cut short. */
  readonly adopt: (vm: ResidentVm, granted: Granted | undefined) => Effect.Effect<void, ChannelFailed>
  /** Changes the policy at once. Gives the number of open connections that the policy forbids, which are reset. */
  readonly change: (granted: Granted) => Effect.Effect<number, NetworkUnsupported | ChannelFailed>
  /** Whether this process serves the connections of a VM, so that a permission for one of them can be used. */
  readonly isJudging: () => boolean
  /** Allows one connection to each host. The permissions end with their use, with the VM, and when the policy becomes `off`. */
  readonly allowOnce: (rules: ReadonlyArray<HostRule>) => void
  /** Resets the connections to some hosts, which have a former value of a secret. */
  readonly resetHosts: (hosts: ReadonlyArray<SecretHost>) => void
  /** Points the guest's package clients at the cache before a command, and gives the variables by which programs find it and trust what the host trusts. */
  readonly prepareClients: (channel: GuestChannel) => Effect.Effect<Variables>
  /** Resets all connections: the VM has ended, or another one takes its place. */
  readonly lose: Effect.Effect<void>
  /** The newest open connections, oldest first. */
  readonly open: (most: number) => ReadonlyArray<OpenConnection>
  /** The policy that holds, or that the next start brings back, and the connections so far. */
  readonly info: () => NetworkInfo
}

/** A guest without a network is better than no guest: its disk and programs are there. */
const turnOnOrWarn = ({ channel }: ResidentVm) =>
  Effect.catchTag(turnOn(channel), "NetworkUnsupported", ({ message }) => Effect.logWarning(message))

/** Resets the open connections that a policy forbids. Gives their number. */
const resetForbidden = (open: ReadonlySet<Open>, { rules }: Granted): number => {
  let count = 0
  for (const one of open) {
    // A policy that was off allows nothing beside the permission; one that becomes off ends the permission as well.
    const forbidden = forbiddenBy(rules, rules.networkPolicy === "off" ? { ...one, once: undefined } : one)
    if (forbidden === undefined) continue
    one.reset.send(forbidden)
    count++
  }
  return count
}

const makeNetwork = (
  { dialler, group, headerSecrets: { hosts, interceptionOf, placeholders }, log, named, once, paths, recorded }: {
    readonly dialler: DiallerService
    readonly group: string
    readonly headerSecrets: HeaderSecrets
    readonly log: ConnectionLog
    readonly named: () => string
    readonly once: OncePermissions
    readonly paths: Paths["Service"]
    readonly recorded: Granted | undefined
  }
): Network => {
  let granted = recorded
  let current: ResidentVm | undefined
  const served = new WeakSet<GuestChannel>()
  const open = new Set<Open>()
  const connecting: Connecting = {
    dialler,
    group,
    rules: () => (granted ?? nothingGranted).rules,
    once,
    open,
    record: log.append,
    pace: makePace(log.append),
    firstIds: new FirstIds(),
    interceptionOf,
    placeholders,
    caching: packageCaching(paths, () => granted ?? nothingGranted, hosts)
  }
  const clients = makeClients(connecting.caching)
  const trust = makeHostTrust(() => granted ?? nothingGranted)
  const policy = () => (granted ?? nothingGranted).policy
  const news = newsOf(
    log,
    () => granted !== undefined && isOn(granted),
    workspaceSteps(named, policy),
    () => policy().trustHostCertificates === true
  )

  /** Also with the policy `off`: the guest's requests are then denied, and none waits. */
  const serve = (vm: ResidentVm) =>
    Effect.suspend(() => {
      hintsOf(vm.scope).network = news
      if (granted === undefined || served.has(vm.channel)) return Effect.void
      served.add(vm.channel)
      return serveRequests(vm.channel, connecting).pipe(Scope.provide(vm.scope))
    })
  const begin: Network["begin"] = (vm, given) =>
    Effect.suspend(() => {
      current = vm
      granted = given
      return serve(vm)
    })
  const change: Network["change"] = (next) =>
    Effect.gen(function*() {
      const before = granted
      const wasOn = before !== undefined && isOn(before)
      granted = next
      if (!isOn(next)) once.clear()
      clients.changed()
      if (current === undefined) return 0
      yield* serve(current)
      if (isOn(next) && !wasOn) {
        // It may be watched already, and its root may have removed parts.
        yield* turnOff(current.channel)
        yield* Effect.onError(turnOn(current.channel), () => Effect.sync(() => (granted = before ?? nothingGranted)))
      }
      const count = resetForbidden(open, next)
      if (!isOn(next)) yield* Effect.andThen(turnOff(current.channel), watch(current.channel))
      yield* clients.before(current.channel)
      return count
    })
  return {
    log,
    begin,
    adopt: (vm, given) =>
      Effect.andThen(
        begin(vm, given),
        given === undefined
          ? Effect.void
          : isOn(given)
          ? turnOnOrWarn(vm)
          : Effect.andThen(turnOff(vm.channel), watch(vm.channel))
      ),
    change,
    isJudging: () => current !== undefined,
    allowOnce: once.add,
    resetHosts: (hosts) => {
      // The cache does not serve hosts of secrets.
      clients.changed()
      const isChanged = ({ name, port }: Open) => hosts.some((one) => one.host === name && one.port === port)
      for (const one of [...open].filter(isChanged)) {
        one.reset.send({ outcome: "allowed", reason: "the secrets of the host changed" })
      }
    },
    prepareClients: (channel) =>
      Effect.gen(function*() {
        return { ...yield* clients.before(channel), ...yield* trust(channel) }
      }),
    lose: Effect.sync(() => {
      current = undefined
      once.clear()
      for (const one of open) one.reset.send({ outcome: "allowed", reason: "the microVM ended" })
    }),
    open: (most) => [...open].slice(-most).map(describeOpen),
    info: () => {
      const allowOnce = once.unused()
      return { ...policy(), ...(allowOnce.length === 0 ? {} : { allowOnce }), open: open.size, ...log.totals() }
    }
  }
}

/** Opens the network of the workspace in `directory`, with the grant of its record. The network closes with the Scope. */
export const openNetwork = (
  directory: string,
  headerSecrets: HeaderSecrets,
  recorded: Granted | undefined,
  /** Present name of the workspace, or its id without one. */
  named: () => string
): Effect.Effect<Network, never, Dialler | SecretRegistry | Paths | Scope.Scope> =>
  // The directory names the workspace for the fairness of the dialler.
  Effect.gen(function*() {
    const log = yield* openConnectionLog(directory)
    const [dialler, paths] = [yield* Dialler, yield* Paths]
    const { monotonicMs } = yield* clockReader
    const once = oncePermissions(monotonicMs)
    return makeNetwork({ dialler, group: directory, headerSecrets, log, named, once, paths, recorded })
  })

const granted = (kept: Option.Option<Policy>) => Option.getOrUndefined(Option.map(kept, grantOf))

/**
 * A workspace's network as a resident. Open connections end with their VM: a copy of its memory has none. The policy is the workspace record's,
 * also after a reset to a snapshot that was taken under another one. The log outlives resets.
 */
export const networkResident = (network: Network): Resident<Policy> => ({
  begin: (vm, kept) => network.begin(vm, granted(kept)),
  adopt: (vm, kept) => network.adopt(vm, granted(kept)),
  lose: () => network.lose,
  rest: () => network.lose,
  isHistory: true,
  clear: network.log.reset,
  describe: Effect.sync(() => ({ network: network.info() }))
})
