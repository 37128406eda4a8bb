import type { Effect } from "effect"
import type {
  AdmissionRefused,
  EnvironmentBuildFailed,
  EnvironmentUnknown,
  HostToolMissing,
  ImageDamaged,
  NoSpace,
  StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import type { CatalogueEntry, OciOrigin } from "../model/catalogue.ts"
import type { OnProgress } from "../model/progress.ts"
import type { StoredImage } from "./store.ts"

/** An environment that is on this host. */
export interface Environment {
  readonly name: string
  /** SHA-256 of the image. */
  readonly digest: string
  readonly imagePath: string
  readonly sizeBytes: number
  readonly kernelVersion: string
  /** Time of the build on this host, ISO 8601. */
  readonly builtAt: string
  /** See `CatalogueEntry`. */
  readonly firstPrograms?: CatalogueEntry["firstPrograms"]
  /** The image that it was made of, if it was made of one. */
  readonly oci?: OciOrigin | undefined
}

/** An environment of the catalogue or of the user's own, with its state on this host. */
export interface EnvironmentStatus {
  readonly name: string
  readonly description: string
  readonly state: "ready" | "absent" | "outdated"
  readonly environment: Environment | undefined
  /** Definition by `define`. Absent for environments of the catalogue. */
  readonly own: CatalogueEntry["own"]
  readonly oci?: OciOrigin | undefined
}

export interface EnvironmentDetail extends EnvironmentStatus {
  readonly packages: ReadonlyArray<{ readonly name: string; readonly version: string }>
}

export interface Removed {
  /** Names or digests of removed images. */
  readonly removed: ReadonlyArray<string>
  readonly freedBytes: number
}

/** Why the environments of this host cannot be read. */
export type StoreFailure = NoSpace | StateDirectoryUnusable

/** Why an image of this host cannot be read. */
export type ImageUnread = ImageDamaged | StoreFailure

/** Why nothing was removed. */
export type StoreUnchanged = EnvironmentBuildFailed | HostToolMissing | ImageUnread

export type EnvironmentError =
  | AdmissionRefused
  | EnvironmentUnknown
  | EnvironmentBuildFailed
  | ImageDamaged
  | HostToolMissing
  | NoSpace
  | StateDirectoryUnusable

export interface PullOptions {
  readonly onProgress?: OnProgress
  /** Runs before the build of an absent environment, and prevents it by its failure. @default nothing */
  readonly beforeBuild?: Effect.Effect<void, AdmissionRefused | NoSpace | StateDirectoryUnusable> | undefined
  /** Builds the environment again from today's packages, also if it is intact. */
  readonly force?: boolean
}

export interface DefineRequest {
  readonly name: string
  /** Gives the name to the new environment if it belongs to another one of the user's own. */
  readonly replace?: boolean
  /** An environment of the catalogue, or one of the user's own, whose packages are also installed. */
  readonly from: string
  readonly packages: ReadonlyArray<string>
  /** npm packages to install as well, as NAME@VERSION. */
  readonly npm: ReadonlyArray<string>
}

/** Made from a workspace: nothing could build its image again. */
export const isKept = ({ own }: CatalogueEntry) => own?.workspace !== undefined

export const absent = ({ description, name, oci, own }: CatalogueEntry): EnvironmentStatus => ({
  name,
  oci,
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
  builtAt: manifest.created,
  firstPrograms: entry.firstPrograms,
  oci: entry.oci
})
