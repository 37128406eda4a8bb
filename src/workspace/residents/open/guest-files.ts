import { resolverFile } from "../network/guest.ts"
import { settingsFiles } from "../package-cache/registries.ts"
import type { GuestFile, GuestLinks } from "../program/guest-file.ts"
import { hostTrustFiles, hostTrustLinks, trustFiles, trustLinks } from "../program/guest-trust.ts"

/**
 * The files that pyro writes into the root of a guest, as far as they stay on the disk. An export of the disk omits pyro's part of them.
 * Files in /run and mounts over files (host name, secrets) are not on the disk.
 */
export const guestFiles: ReadonlyArray<GuestFile> = [
  resolverFile,
  ...trustFiles,
  ...hostTrustFiles,
  ...settingsFiles
]

export const guestLinks: ReadonlyArray<GuestLinks> = [trustLinks, hostTrustLinks]
