import type { GuestFile, GuestLinks } from "./guest-file.ts"
import { hostTrustFiles, hostTrustLinks, trustFiles, trustLinks } from "./guest-trust.ts"
import { resolverFile } from "./network/guest.ts"
import { settingsFiles } from "./package-cache/registries.ts"

/**
 * Every file that pyro writes into the root of a guest and that stays on the disk. An export of the disk leaves out pyro's part. Files in
 * /run and mounts over files (host name, secrets) are not on the disk.
 */
export const guestFiles: ReadonlyArray<GuestFile> = [
  resolverFile,
  ...trustFiles,
  ...hostTrustFiles,
  ...settingsFiles
]

export const guestLinks: ReadonlyArray<GuestLinks> = [trustLinks, hostTrustLinks]
