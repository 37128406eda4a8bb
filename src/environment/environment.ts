import type {
  EnvironmentBuildFailed,
  EnvironmentUnknown,
  HostToolMissing,
  ImageDamaged,
  NoSpace,
  StateDirectoryUnusable
} from "../contract/errors.ts"
import type { CatalogueEntry } from "./catalogue.ts"
import type { StoredImage } from "./image-store.ts"
import type { OnProgress } from "./progress.ts"

/** An environment that is on this host. */
export interface Environment {
  readonly name: string
  /** SHA-256 of the image. */
  readonly digest: string
  readonly imagePath: string
  readonly sizeBytes: number
  readonly kernelVersion: string
  /** When it was built here, ISO 8601. */
  readonly builtAt: string
}

/** One line of the catalogue or an environment of the user's own, with what this host has of it. */
export interface EnvironmentStatus {
  readonly name: string
  readonly description: string
  readonly state: "ready" | "absent" | "outdated"
  readonly environment: Environment | undefined
  /** What it was made of by `define`; none for those of the catalogue. */
  readonly own: CatalogueEntry["own"]
}

export interface EnvironmentDetail extends EnvironmentStatus {
  readonly packages: ReadonlyArray<{ readonly name: string; readonly version: string }>
}

export interface Removed {
  /** Names or digests of what is gone. */
  readonly removed: ReadonlyArray<string>
  readonly freedBytes: number
}

export type EnvironmentError =
  | EnvironmentUnknown
  | EnvironmentBuildFailed
  | ImageDamaged
  | HostToolMissing
  | NoSpace
  | StateDirectoryUnusable

export interface PullOptions {
  readonly onProgress?: OnProgress
  /** Builds it again from today's packages even when it is there and whole. */
  readonly force?: boolean
}

export interface DefineRequest {
  readonly name: string
  /** Gives the name to the new environment when it stands for another one of the user's own. */
  readonly replace?: boolean
  /** An environment of the catalogue, or one of the user's own, whose packages are then added as well. */
  readonly from: string
  readonly packages: ReadonlyArray<string>
}

/** Made from a workspace: nothing could build its image again. */
export const isKept = ({ own }: CatalogueEntry) => own?.workspace !== undefined

export const absent = ({ description, name, own }: CatalogueEntry): EnvironmentStatus => ({
  name,
  description,
  state: "absent",
  environment: undefined,
  own
})

export const environmentOf = (entry: CatalogueEntry) => ({ manifest, path }: StoredImage): Environment => ({
  name: entry.name,
  digest: manifest.digest,
  imagePath: path,
  sizeBytes: manifest.image.sizeBytes,
  kernelVersion: manifest.kernelVersion,
  builtAt: manifest.created
})
