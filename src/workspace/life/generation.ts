import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { SeedImage } from "../../disk/SeedImages.ts"
import type { DiskSource } from "../../disk/workspace-disk.ts"
import type { GuestImages, OnSlowStep } from "../../vm/guest.ts"
import type { WorkspaceRecord } from "../entry/record.ts"
import { turnOnClaimed, turnOnDevice, watchClaimed } from "../residents/network/guest.ts"
import { isOn, recordedGrant } from "../residents/network/policy.ts"
import { demandTap } from "../residents/network/tap.ts"
import { acquireWorkspace, explainChannelFailure } from "./boot.ts"

export interface GuestRequest {
  readonly record: WorkspaceRecord
  readonly images: GuestImages
  readonly disk: DiskSource
  /** Empty seed image of the disk's size. */
  readonly placeholder: SeedImage
  /** The cached image that the disk begins with, if the next workspace may begin with the same. */
  readonly seedImage?: SeedImage | undefined
  readonly onSlowStep: OnSlowStep
  /** Called when the guest is about to be busy with its claim for a while. */
  readonly onClaim?: () => void
  /**
   * Called with what waits until the guest's network is on. The guest turns the network on before any later request. @default waits
   * before the guest is given
   */
  readonly onNetwork?: (turned: Effect.Effect<void, PyroError>) => void
}

/** Hostname of a workspace's guest: the valid part of its name, else its id. */
export const hostnameOf = ({ id, name }: WorkspaceRecord) => {
  const label = (name ?? id).toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "")
  return label === "" ? id : label.slice(0, 63)
}

/** Makes a VM on a workspace's disk, and makes it unique. The VM belongs to the Scope. */
export const acquireGuest = (request: GuestRequest) =>
  Effect.gen(function*() {
    const { record } = request
    const hasTap = record.networkDriver === "tap"
    if (hasTap) yield* demandTap
    const { guest, ready, readyWith } = yield* acquireWorkspace({
      ...request.disk,
      purpose: "workspace",
      images: request.images,
      vcpuCount: record.vcpuCount,
      memoryMib: record.memoryMib,
      hasTap,
      placeholder: request.placeholder,
      seedImage: request.seedImage,
      hostname: hostnameOf(record),
      dieWithParent: false,
      leastConfinement: record.requireConfinement,
      onSlowStep: request.onSlowStep,
      onClaim: request.onClaim
    })
    if (hasTap) {
      yield* ready
      yield* explainChannelFailure(guest)(turnOnDevice(guest.channel))
      return guest
    }
    const network = recordedGrant(record)
    if (network === undefined) yield* ready
    else {
      const turned = yield* readyWith(isOn(network) ? turnOnClaimed(guest) : watchClaimed(guest))
      if (request.onNetwork === undefined) yield* turned
      else request.onNetwork(turned)
    }
    return guest
  })
