import { randomBytes } from "node:crypto"
import type { Call } from "../../guest-channel/model/calls.ts"

/** Identity of a guest, new for every generation. */
export interface GuestIdentity {
  readonly hostname: string
  /** 32 hex digits (machine-id(5)). */
  readonly machineId: string
  /** UUID that the guest reads as its boot id. */
  readonly bootId: string
  /** 32 hex digits in `generationFile`. */
  readonly generation: string
}

/** A new identity for a guest of this host name. */
export const newGuestIdentity = (hostname: string): GuestIdentity => {
  const uuid = (bytes: Buffer) => {
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    return bytes.toString("hex")
  }
  const boot = uuid(randomBytes(16))
  return {
    hostname,
    machineId: uuid(randomBytes(16)),
    bootId: `${boot.slice(0, 8)}-${boot.slice(8, 12)}-${boot.slice(12, 16)}-${boot.slice(16, 20)}-${boot.slice(20)}`,
    generation: randomBytes(16).toString("hex")
  }
}

/** State of the workspace disk before a claim. */
export interface ClaimedDisk {
  /** Nothing was ever written over the seed. Default false. */
  readonly isEmpty?: boolean | undefined
  /** The file system is smaller than the disk, and grows to its size. Default false. */
  readonly grows?: boolean | undefined
  /** The pool has mounted the disk already. Default false. */
  readonly isMounted?: boolean | undefined
}

/** Calls in their order. */
export type Steps = ReadonlyArray<Call<unknown>>

/** Calls to a guest's agent that give the guest its identity and its disk. A guest that shares the host's kernel needs others. */
export interface GuestSteps {
  /** The mounts of a claim on a disk that was never written. The rest of the claim is `claim` with `isMounted`. */
  readonly mountEmpty: Steps
  /** The mounts of a claim on a written disk. The rest of the claim is `claim` with `isMounted`. */
  readonly mountWritten: Steps
  /** Undoes either, so that the disk can be switched. Fails if a mount is still in use. */
  readonly unmount: Steps
  /** Makes a restored guest unique, and mounts its root and /workspace. */
  readonly claim: (identity: GuestIdentity, disk: ClaimedDisk) => Steps
  /** Gives a claimed guest an /etc/resolv.conf with `resolverContent`, of the generation instead of the disk. Fails if the root has no such file. */
  readonly coverResolver: Steps
  /** Mounts the disk at `inspectedDisk` only, for a guest that reads the disk and runs nothing of it. */
  readonly inspection: (identity: GuestIdentity, disk: ClaimedDisk) => Steps
  /** Mounts the inspected disk's folder at /workspace. */
  readonly inspectedWorkspace: Steps
  /** The whole disk as the workspace's programs see it, after `inspectedWorkspace`. */
  readonly inspectedRoot: {
    /** Directory of the guest with the inspected root. */
    readonly directory: string
    readonly mounts: Steps
  }
  /** Makes the environment the root of an inspector's programs, which is its own and not the workspace's, with the disk beneath `directory`. */
  readonly inspectedTools: {
    readonly directory: string
    readonly steps: Steps
  }
  /** Removes leftovers of a run from the inspected disk, and leaves a clean file system without a writer. */
  readonly scrubInspected: Steps
  /** Makes a guest that continues from a capture unique, while its programs are stopped. `hosts` is its /etc/hosts, if readable. */
  readonly renewal: (identity: GuestIdentity, hosts: string | undefined) => Steps
  /** Fresh entropy and the right time for a guest that continues from a pause as itself, while its programs are stopped. */
  readonly continuation: () => Steps
  /** Gives a running guest another host name. `hosts` is its /etc/hosts, if readable. */
  readonly rename: (hostname: string, hosts: string | undefined) => Steps
  /** Resumes the programs that a capture stopped. */
  readonly startPrograms: Steps
  /** Path of the workspace disk's device. */
  readonly diskDevice: string
  /** Folder of sysfs with the kernel's state of the workspace disk's ext4. */
  readonly diskErrors: string
  /** The steps of a claim in a form that can be undone: a guest that ran them once is several times as fast the next time. */
  readonly warmUp: {
    readonly begin: (disk: ClaimedDisk) => Steps
    /** Unmounts everything that `begin` mounted, so that the disk can be switched. Fails if a mount is still in use. */
    readonly undo: (disk: ClaimedDisk) => Steps
    /** Undoes `coverResolver` between the two. */
    readonly uncoverResolver: Steps
  }
}

/**
 * Resolver of a guest with a network. No machine has the address: the agent answers look-ups that are sent to any address. With a network
 * device, the resolver has this address.
 */
export const resolverContent = "nameserver 198.18.0.2\n"

/** Directory of the workspace disk in a guest, hidden from the programs that run there. */
export const inspectedDisk = "/disk"

/** Mount point of the environment when the guest is frozen. */
export const lowerDirectory = "/lower"
