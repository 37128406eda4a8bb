import { Effect, Option, Stream } from "effect"
import * as path from "node:path"
import type { NetworkUnsupported } from "../../../contract/errors/errors.ts"
import { printable } from "../../../contract/text/printable.ts"
import { type SeedImage, SeedImages } from "../../../lib/disk/SeedImages.ts"
import { type DiskSource, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { Environments } from "../../../lib/environment/Environments.ts"
import { Kernel } from "../../../lib/environment/Kernel.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { Guest, GuestImages, OnSlowStep } from "../../../lib/vm/model/guest.ts"
import type { Vmm } from "../../../lib/vm/Vmm.ts"
import { exists } from "../../../system/files/entries.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { type Notify, progress } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import { turnOnClaimed, watchClaimed } from "../../residents/network/guest.ts"
import { isOn, recordedGrant } from "../../residents/policy/policy.ts"
import { linkedBase } from "./base.ts"
import { acquireWorkspace, type StartError } from "./boot.ts"

/** Larger files stay unchanged: no resolver reads so much. */
const maxHostsBytes = 65_536

const renameTimeoutMs = 5_000 * deadlineScale

/** A guest's /etc/hosts, if readable. */
export const readHosts = (channel: GuestChannel) =>
  channel.read({ root: "/", path: "etc/hosts", limit: maxHostsBytes }).pipe(
    Stream.runCollect,
    Effect.map(Buffer.concat),
    Effect.map((bytes) => bytes.length === maxHostsBytes ? undefined : bytes.toString("latin1")),
    Effect.catchTag("AgentCallFailed", () => Effect.succeed(undefined))
  )

/**
 * Gives a running guest another host name. The name of the workspace does not depend on it: if the guest refuses, the daemon's log says so,
 * and the next generation has the name.
 */
export const renameGuest = ({ channel, vm }: Guest, hostname: string): Effect.Effect<void> =>
  Effect.flatMap(readHosts(channel), (hosts) => channel.chain(vm.steps.rename(hostname, hosts))).pipe(
    Effect.timeout(renameTimeoutMs),
    Effect.catch((failure) =>
      Effect.logWarning(`a guest did not take the host name ${hostname}: ${printable(failure.message)}`)
    )
  )

/** Services that make a VM on a disk of a workspace: its images, an empty seed, and the VM itself. */
export type GuestServices = Environments | Kernel | Paths | SeedImages | Vmm

export interface GuestRequest {
  readonly record: WorkspaceRecord
  readonly images: GuestImages
  readonly disk: DiskSource
  /** Empty seed image of the disk's size. */
  readonly placeholder: SeedImage
  /** The cached image that the disk begins with, if the next workspace may begin with the same. */
  readonly seedImage?: SeedImage | undefined
  readonly onSlowStep: OnSlowStep
  /** Called when the guest starts a claim, which takes a while. */
  readonly onClaim?: () => void
  /**
   * Called with an effect that waits until the guest's network is on. The guest turns the network on before any later request. @default
   * waits before the guest is given
   */
  readonly onNetwork?: (turned: NetworkTurned) => void
}

/** Waits until the network of a claimed guest is on. */
export type NetworkTurned = Effect.Effect<void, NetworkUnsupported | StartError>

/** Hostname of a workspace's guest: the valid part of its name, else its id. */
export const hostnameOf = ({ id, name }: WorkspaceRecord) => {
  const label = (name ?? id).toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "")
  return label === "" ? id : label.slice(0, 63)
}

/** Makes a VM on a workspace's disk, and makes it unique. The VM belongs to the Scope. */
export const acquireGuest = (request: GuestRequest) =>
  Effect.gen(function*() {
    const { record } = request
    const { guest, ready, readyWith } = yield* acquireWorkspace({
      ...request.disk,
      purpose: "workspace",
      driver: record.driver,
      images: request.images,
      vcpuCount: record.vcpuCount,
      memoryMib: record.memoryMib,
      result: record.result,
      placeholder: request.placeholder,
      seedImage: request.seedImage,
      hostname: hostnameOf(record),
      dieWithParent: false,
      leastConfinement: record.requireConfinement,
      onSlowStep: request.onSlowStep,
      onClaim: request.onClaim
    })
    const network = recordedGrant(record)
    if (network === undefined) yield* ready
    else {
      const turned = yield* readyWith(isOn(network) ? turnOnClaimed(guest) : watchClaimed(guest))
      if (request.onNetwork === undefined) yield* turned
      else request.onNetwork(turned)
    }
    return guest
  })

/** The images of a workspace's root: those of the cache, which the pool uses, if the cache still has the same; else the workspace's own. */
export const imagesOf = (entry: Entry, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    const held = yield* linkedBase(entry.folder.base)
    const environments = yield* Environments
    const cached = yield* Effect.orElseSucceed(environments.resolve(record.environment.name), () => Option.none())
    if (Option.isNone(cached) || cached.value.digest !== held.environment.digest) return held
    // Nothing is built for a workspace that has its own.
    if (!exists(path.join((yield* Paths).cacheDir, "kernels", "current.json"))) return held
    const kernel = yield* Effect.option(Effect.flatMap(Kernel, ({ ensure }) => ensure))
    return Option.isSome(kernel) && kernel.value.digest === held.kernel.digest
      ? { environment: cached.value, kernel: kernel.value }
      : held
  })

/** Reports a long step of a start to the caller, such as a new template. */
export const reportSlowStep = (notify: Notify): OnSlowStep => (message) => progress(notify, message, 0.5)

/** Makes a VM on the disk that `record` names. The VM belongs to the Scope. */
export const guestOn = (entry: Entry, record: WorkspaceRecord, notify: Notify) =>
  Effect.gen(function*() {
    const from = yield* Effect.all({
      images: imagesOf(entry, record),
      placeholder: Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      disk: readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    })
    return yield* acquireGuest({ record, ...from, onSlowStep: reportSlowStep(notify) })
  })
