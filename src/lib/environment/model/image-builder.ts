import { Effect, Schema } from "effect"
import { readFile } from "../../../system/files/content.ts"
import { ImageConfig, short } from "./image-config.ts"
import { imageProgramFile } from "./rootfs.ts"

/**
 * What a builder microVM says of an image (rootfs/image), a JSON object a line. An image is hostile, and so is the builder that has read it: every
 * text has a maximum length.
 */

const MOST_MIRRORS = 256

const Digest = Schema.String.pipe(Schema.check(Schema.isPattern(/^sha256:[0-9a-f]{64}$/)))

export const BuilderMessage = Schema.Union([
  Schema.TaggedStruct("Progress", { step: short(200), fraction: Schema.Number }),
  /** A line that a program of the present step printed. */
  Schema.TaggedStruct("Output", { line: short(600) }),
  Schema.TaggedStruct("Refused", {
    kind: short(32),
    detail: short(4000),
    /** The base image that a build pulled. */
    image: Schema.optional(short(512)),
    /** Size of the file of the steps that succeeded before, if there is one. */
    stepsBytes: Schema.optional(Schema.Int)
  }),
  Schema.TaggedStruct("Made", {
    /** Digest of the image's manifest. */
    digest: Digest,
    sizeBytes: Schema.Int,
    config: ImageConfig,
    layers: Schema.Array(Schema.Struct({ digest: Digest, sizeBytes: Schema.Int })),
    /** Lines of `name=version`: Debian packages of the image. */
    packages: short(1_048_576),
    /** Of a dev container: the image's label `devcontainer.metadata`, a JSON list, without settings of editors. Else empty. */
    label: short(65_536),
    /** Number of the mirror in the request that gave the image, if one did. */
    mirrorNumber: Schema.optional(Schema.Int),
    /** Numbers of the mirrors in the request that gave bases of the Dockerfile. Absent: none did. */
    baseMirrors: Schema.optional(Schema.Array(Schema.Int).pipe(Schema.check(Schema.isMaxLength(MOST_MIRRORS)))),
    /** Size of the file of the build's steps, if there is one. */
    stepsBytes: Schema.optional(Schema.Int)
  }),
  /** The file system that images begin with is complete. */
  Schema.TaggedStruct("Began", { sizeBytes: Schema.Int }),
  /** An archive of an image is complete. */
  Schema.TaggedStruct("Packed", { digest: Digest, sizeBytes: Schema.Int })
])
export type BuilderMessage = typeof BuilderMessage.Type
export type MadeImage = Extract<BuilderMessage, { readonly _tag: "Made" }>

/** Where a builder has the archive of images that it reads. */
export const ARCHIVE_PATH = "/workspace/import.tar"

/** What a dev container's environment remembers, for workspaces of it. */
export const DevContainerOrigin = Schema.Struct({
  /** Digest of the files that say how it is built. */
  key: Schema.String,
  /** The image's label `devcontainer.metadata`. */
  label: Schema.String,
  /** The image's variables, without those of devcontainer.json. */
  env: Schema.Array(Schema.String)
})
export type DevContainerOrigin = typeof DevContainerOrigin.Type

/** An image that becomes an environment. */
export type KeptImage = MadeImage & {
  readonly devcontainer?: DevContainerOrigin
  /** The mirror that gave it, or the mirrors of its Dockerfile's bases. */
  readonly mirror?: string | undefined
}

/** The login of a registry, without its password. */
export interface BuilderLogin {
  readonly registry: string
  readonly user: string
  /** Variable of the builder with the password's placeholder. */
  readonly variable: string
}

/** Request to a builder. */
export type BuilderRequest =
  & {
    readonly architecture: "amd64"
    readonly devcontainer?: DevContainerRequest
    /** Logins of registries. @default none */
    readonly logins?: ReadonlyArray<BuilderLogin>
    /** Time in seconds for which a registry may send nothing. @default for ever */
    readonly stallSeconds?: number
    /** The disk that gets the file system, and whether the disk begins with the kernel's modules or an environment. @default a file */
    readonly result?: { readonly device: string; readonly hasModules: boolean; readonly hasBase?: boolean }
  }
  & (PullRequest | ArchiveRequest | CommitRequest | AddedRequest | DockerfileRequest)

/** What a dev container adds to the image. */
interface DevContainerRequest {
  /** Features, as BuildPlan has them, with the place of local ones in the seed. */
  readonly features: ReadonlyArray<
    { readonly id: string; readonly folder?: string; readonly options: Readonly<Record<string, string>> }
  >
  readonly order: ReadonlyArray<string>
  readonly remoteUser: string | undefined
  readonly containerUser: string | undefined
  /** Links to /workspace. */
  readonly links: ReadonlyArray<string>
}

interface PullRequest {
  /** Source in skopeo's form. */
  readonly source: string
  readonly plainHttp: boolean
  /** Sources that are asked before. @default none */
  readonly mirrors?: ReadonlyArray<
    { readonly name: string; readonly source: string; readonly plainHttp: boolean }
  >
}

interface ArchiveRequest {
  readonly archive: {
    /** `auto`: what the archive has inside. */
    readonly kind: "auto" | "oci" | "docker"
    /** Name or tag of one of its images. Absent: its only one. */
    readonly name: string | undefined
  }
}

interface CommitRequest {
  readonly commit: {
    /** Tells one commit from others. */
    readonly id: string
    /** `config` of the image's configuration. */
    readonly config: Readonly<Record<string, unknown>>
    /** Directory for the files of /workspace. Absent: they stay out. */
    readonly workspaceAs: string | undefined
  }
}

interface AddedRequest {
  readonly added: {
    /** Tells one installation from others. */
    readonly id: string
    /** `config` of the image's configuration. */
    readonly config: Readonly<Record<string, unknown>>
    readonly packages: ReadonlyArray<string>
  }
}

/** A mirror as containers-registries.conf has it. */
export interface BaseMirror {
  /** As the person wrote it. */
  readonly name: string
  readonly registry: string
  readonly location: string
  readonly plainHttp: boolean
}

/** A base of a Dockerfile that this host has. */
export interface PresentRequest {
  /** What the Dockerfile calls it. */
  readonly names: ReadonlyArray<string>
  /** Digest of the environment. */
  readonly digest: string
  /** `config` of the image's configuration. */
  readonly config: Readonly<Record<string, unknown>>
  /** The environment in the builder: a file, or the disk for the result. */
  readonly file: string
}

interface DockerfileRequest {
  readonly dockerfile: {
    /** The Dockerfile, relative to the builder's seed. Undefined: `text`. */
    readonly file?: string
    readonly text?: string
    /** The context, relative to the seed. @default the seed */
    readonly context?: string
    readonly target: string | undefined
    readonly arguments: Readonly<Record<string, string>>
    /** Ports of registries on the host's loopback, which have another name in the builder. */
    readonly loopbackPorts: ReadonlyArray<number>
    /** Mirrors of the registries of base images, in order. @default none */
    readonly mirrors?: ReadonlyArray<BaseMirror>
    /** Bases that this host has. The others are pulled. @default none */
    readonly present?: ReadonlyArray<PresentRequest>
    /** Secrets by their ids, with the builder's files that have them. @default none */
    readonly secrets?: Readonly<Record<string, string>>
    /** Files of the builder: the steps of an earlier build, and where this build leaves its own. @default none */
    readonly steps?: { readonly from: string | undefined; readonly to: string | undefined }
  }
}

/** The program that a builder runs: the package of rootfs/image as one file. */
export const imageProgram = Effect.suspend(() => readFile(imageProgramFile()))

/**
 * Takes the program and its request from stdin, and keeps the program in memory: nothing of it is on the builder's disk. Python's importer of
 * archives compiles each module twice, the first time to tell the module's file name.
 */
const BOOTSTRAP = `import os, sys, zipimport
class Importer(zipimport.zipimporter):
    def get_filename(self, name):
        return f"{self.archive}/{name.replace('.', '/')}{'/__init__' if self.is_package(name) else ''}.py"
sys.path_hooks.insert(0, Importer)
program = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "big"))
file = os.memfd_create("image.pyz")
os.write(file, program)
sys.path.insert(0, f"/proc/self/fd/{file}")
from pyro_image.__main__ import main
main()`

/** The command that runs the program. Without the packages of others: what they add to Python's start takes as long as its start. */
export const IMAGE_COMMAND = ["python3", "-I", "-S", "-c", BOOTSTRAP]

/** What the command reads from its stdin. */
export const imageInput = (program: Uint8Array, request: unknown) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(program.length)
  return Buffer.concat([length, program, Buffer.from(JSON.stringify(request))])
}
