import { Schema, Struct } from "effect"
import { byName } from "../../../contract/text/names.ts"

/** Settings of an image for its programs, as a builder microVM has read them. The image is hostile: every text and every list has a maximum. */

export const short = (most: number) => Schema.String.pipe(Schema.check(Schema.isMaxLength(most)))
const list = (most: number, each: number) => Schema.Array(short(each)).pipe(Schema.check(Schema.isMaxLength(most)))

/** A time in ms, at most a day. */
const time = Schema.optional(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 86_400_000 }))))

/** Program of a check by `CMD-SHELL`, if the image names none. */
export const DEFAULT_SHELL: ReadonlyArray<string> = ["/bin/sh", "-c"]

const HealthCheck = Schema.Struct({
  /** `CMD` and a program with its arguments, or `CMD-SHELL` and a script. */
  test: list(256, 16_384),
  intervalMs: time,
  timeoutMs: time,
  startPeriodMs: time,
  startIntervalMs: time,
  retries: Schema.optional(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))))
})
export type HealthCheck = typeof HealthCheck.Type

const MOST_LABELS = 64

const Labels = byName(short(1024)).pipe(
  Schema.check(Schema.makeFilter((labels) => {
    const names = Object.keys(labels)
    return names.length <= MOST_LABELS && names.every((name) => name.length <= 256) || "too many or too long labels"
  }))
)

/** The parts of an image's configuration that pyro uses, as the OCI image specification (config.md) and Docker name them. */
export const ImageConfig = Schema.Struct({
  /** Variables, as NAME=VALUE. */
  env: list(256, 16_384),
  /** uid:gid. Absent: root. */
  user: Schema.optional(short(128)),
  /** The same user as a name or uid of the guest's /etc/passwd, which has the groups of /etc/group. Absent: `user` has no others. */
  account: Schema.optional(short(128)),
  workingDirectory: Schema.optional(short(4096)),
  entrypoint: list(256, 16_384),
  command: list(256, 16_384),
  /** Ports that the image's programs listen on, such as `8080/tcp`. */
  exposedPorts: list(256, 16),
  stopSignal: Schema.optional(short(32)),
  healthCheck: Schema.optional(HealthCheck),
  /** Program of `CMD-SHELL` with its first arguments. Absent: /bin/sh -c. */
  shell: Schema.optional(list(16, 4096)),
  labels: Schema.optional(Labels),
  /** Number of labels that are not among these: they are long, or there are too many. */
  labelsLeftOut: Schema.optional(Schema.Int),
  /** Instructions for a Dockerfile whose stage begins with the image. */
  onBuild: Schema.optional(list(256, 16_384)),
  /** Directories that a container engine keeps outside of the container. */
  volumes: Schema.optional(list(MOST_LABELS, 4096))
})
export type ImageConfig = typeof ImageConfig.Type

/** The user of an image's programs, with its groups. Undefined: root. */
export const userOf = ({ account, user }: Pick<ImageConfig, "account" | "user">): string | undefined => account ?? user

/** The image's own command. */
export const ImageProgram = Schema.Struct(
  Struct.pick(ImageConfig.fields, ["entrypoint", "command", "stopSignal", "healthCheck", "shell"])
)
export type ImageProgram = typeof ImageProgram.Type
