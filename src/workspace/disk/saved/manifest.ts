import { Schema } from "effect"
import { variables, workingDirectory } from "../../../contract/rows/command.ts"
import { Driver, WorkspaceUser } from "../../../contract/rows/workspace-field.ts"
import { byName } from "../../../contract/text/names.ts"
import type { LayerFormat } from "../../../lib/disk/layer-format.ts"
import { ImageProgram } from "../../../lib/environment/model/image-config.ts"
import { MachineIdentity } from "../../../lib/vm/model/machine.ts"

/** Maximum bytes of a manifest, which is read whole. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

const mib = 1024 * 1024
/** Device state has some 100 KiB. */
const MAX_STATE_BYTES = 64 * mib
/** A page in the state has a header. */
const STATE_BYTES_OF_MIB = mib + 16 * 1024
const MAX_LAYERS = 256
const MAX_MEMORY_FILES = 64
const MAX_COMMANDS = 1_000

const between = (from: number, to: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: from, maximum: to })))
const short = Schema.String.pipe(Schema.check(Schema.isMaxLength(4_096)))
const date = short.pipe(Schema.check(Schema.makeFilter((text) => !Number.isNaN(Date.parse(text)))))

/** A command, a shell or a service that ran: on another host each is a command, which opens nothing there. */
const Command = Schema.Struct({
  id: Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/))),
  command: Schema.Array(short).pipe(Schema.check(Schema.isMaxLength(1_000))),
  startedAt: date,
  tty: Schema.optional(Schema.Literal(true)),
  stdin: Schema.optional(Schema.Literals(["open", "closed"]))
})

/** Content of an exported snapshot, beside its files. Each field of another host's file is checked, and none is a path of the host. */
export const Manifest = Schema.Struct({
  format: Schema.Literal(1),
  name: short,
  hasNetwork: Schema.Boolean,
  hadSecrets: Schema.Boolean,
  environment: Schema.Struct({
    name: Schema.String.pipe(Schema.check(Schema.isPattern(/^[\x21-\x7e]{1,200}$/))),
    digest: short
  }),
  vcpuCount: between(1, 32),
  memoryMib: between(128, 1_048_576),
  diskMib: between(64, 4_194_304),
  driver: Driver(),
  /** An older pyro gave guests network devices, and wrote here whether this guest had one. */
  hasTap: Schema.optionalKey(
    Schema.Literal(false).annotate({ message: "the workspace had a network device, which this pyro does not have" })
  ),
  workspaceUser: WorkspaceUser(),
  /** User of commands in an environment of an image. */
  user: Schema.optional(Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9]{1,10}:[0-9]{1,10}$/)))),
  /** The image's own command, as the image describes it. */
  image: Schema.optional(ImageProgram),
  env: Schema.optional(byName(Schema.String).pipe(Schema.decodeTo(Schema.toType(variables(""))))),
  cwd: Schema.optional(workingDirectory("")),
  takenAtMs: Schema.Number.pipe(Schema.check(Schema.isFinite())),
  layers: between(1, MAX_LAYERS),
  memory: Schema.optional(Schema.Struct({
    identity: MachineIdentity,
    pauseMs: Schema.Number.pipe(Schema.check(Schema.isFinite())),
    commands: Schema.Array(Command).pipe(Schema.check(Schema.isMaxLength(MAX_COMMANDS)))
  })),
  /** The files that follow, in their order. */
  files: Schema.Array(Schema.Struct({ name: short, size: between(0, Number.MAX_SAFE_INTEGER) }))
})
export type Manifest = typeof Manifest.Type

const formatFor = ({ driver }: Pick<Manifest, "driver">): LayerFormat => driver === "firecracker" ? "store" : "qcow2"

/** The names of the disk's files, of which each must be there. */
export const diskNames = (manifest: Pick<Manifest, "driver" | "layers">): ReadonlyArray<string> => [
  "disk/seed.ext4",
  ...Array.from({ length: manifest.layers }, (_, number) => `disk/${number}.${formatFor(manifest)}`)
]

export const isMemoryFile = (name: string): boolean => name === "state" || /^mem(\.[1-9]\d{0,5})?$/.test(name)

/** Maximum bytes of a file, by its name. The metadata of a layer takes less than its data. */
const maxBytes = (name: string, { diskMib, files, memoryMib }: Manifest): number =>
  name === "state"
    // An empty file of memory means that the device state contains the memory.
    ? MAX_STATE_BYTES + (files.some((one) => one.name === "mem" && one.size === 0) ? memoryMib * STATE_BYTES_OF_MIB : 0)
    : name === "disk/seed.ext4"
    ? diskMib * mib
    : name.startsWith("disk/")
    ? 2 * diskMib * mib + 64 * mib
    : memoryMib * mib

/** Fault of the list of files: a file that is missing, listed twice, too large, or of an unknown name. Undefined for a correct list. */
export const filesIssue = (manifest: Manifest): string | undefined => {
  const names = manifest.files.map(({ name }) => name)
  const memory = names.filter(isMemoryFile)
  const wanted = diskNames(manifest)
  if (new Set(names).size !== names.length) return "it has a file twice"
  if (memory.length > MAX_MEMORY_FILES) return "it has too many parts of a memory"
  if (manifest.memory === undefined ? memory.length > 0 : !memory.includes("mem") || !memory.includes("state")) {
    return "its memory is not whole"
  }
  if (names.length !== wanted.length + memory.length || wanted.some((name) => !names.includes(name))) {
    return "its disk is not whole"
  }
  const large = manifest.files.find(({ name, size }) => size > maxBytes(name, manifest))
  return large === undefined ? undefined : `its file ${large.name} is too large`
}
