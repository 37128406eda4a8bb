import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { parseReference } from "../text/image-reference.ts"
import { nameLine, oneLine } from "../text/one-line.ts"
import { printable } from "../text/printable.ts"
import { ContractError } from "./contract-error.ts"
import { call, command, type NextStep, words } from "./next-step.ts"

/** Why an image was not pulled. */
export const PullFailure = Schema.Literals([
  "not_found",
  "incomplete",
  "unauthorized",
  "unreachable",
  "policy",
  "certificate",
  "rate_limit",
  "timeout",
  "stalled",
  "server",
  "digest",
  "platform",
  "image",
  "full",
  "failed"
])
export type PullFailure = typeof PullFailure.Type

const registryOf = (image: string) => parseReference(image)?.registry ?? "the registry"

interface Failure {
  readonly fact: (image: string) => string
  readonly next: (image: string) => ReadonlyArray<NextStep>
}

const again = () => [words("Try again")]
const another = () => [words("Choose another image")]
const restart = call("Then start the daemon again", "daemon.stop")
const logIn = (label: string, image: string) => command(label, `docker login ${registryOf(image)}`)

/** What each failure means, and what helps. Only some failures end by themselves. */
const failures: Readonly<Record<PullFailure, Failure>> = {
  not_found: {
    fact: (image) => `${registryOf(image)} has no such image`,
    next: () => [words("Check the repository and the tag. Some registries say this of private images, too")]
  },
  incomplete: {
    fact: (image) => `${registryOf(image)} has the image, but not all of its parts`,
    next: () => [words("Choose another tag, or push the image to the registry again if it is yours")]
  },
  unauthorized: {
    fact: (image) => `${registryOf(image)} does not give this image to everybody, or there is no such image`,
    next: (image) => [logIn("Check the name, or log in on this host", image)]
  },
  unreachable: {
    fact: (image) => `no connection with ${registryOf(image)}`,
    next: () => [words("Check the name of the registry and this host's network, then try again")]
  },
  policy: {
    fact: () => "the registry needs a host that a pull of this registry may not reach",
    next: () => [words("Allow the host if you trust it")]
  },
  certificate: {
    fact: (image) => `the certificate of ${registryOf(image)} is not trusted`,
    next: () => [
      words(
        "Add the registry's authority to the certificates of this host, or name its file in NODE_EXTRA_CA_CERTS"
      ),
      restart
    ]
  },
  rate_limit: {
    fact: (image) => `${registryOf(image)} gives no more images to this host for now`,
    next: (image) => [logIn("Try again later, or log in for a higher limit", image)]
  },
  stalled: {
    fact: (image) => `${registryOf(image)} stopped sending`,
    next: () => [
      words("Try again: layers that came whole are not fetched again"),
      words("For a slow registry, set PYRO_PULL_STALL_SECONDS"),
      restart
    ]
  },
  timeout: { fact: (image) => `${registryOf(image)} did not answer in time`, next: again },
  server: { fact: (image) => `${registryOf(image)} failed`, next: again },
  digest: {
    fact: (image) => `${registryOf(image)} gave other content than its digest says`,
    next: () => [
      words("Try again. If that fails too, the registry or a proxy changes the content: do not use the image")
    ]
  },
  platform: { fact: () => "this host runs linux/amd64, and the image is for", next: another },
  image: { fact: () => "the image is not one that pyro can use", next: another },
  full: { fact: () => "the image with its layers does not fit in 64 GiB", next: another },
  failed: { fact: () => "its builder failed", next: again }
}

/** An image of a registry was not pulled. Nothing was kept. */
export class ImagePullFailed extends ContractError<ImagePullFailed>()("ImagePullFailed", {
  /** Full reference of the image. */
  image: Schema.String,
  reason: PullFailure,
  /** What the registry, the network or the builder said. */
  detail: Schema.String,
  /** User of the login that the registry refused. Absent without a login. */
  user: optional(Schema.String)
}, {
  fact: ({ detail, image, reason, user }) =>
    `${image} was not pulled: ${
      user === undefined ? failures[reason].fact(image) : `${registryOf(image)} does not give this image to ${user}`
    }${reason === "platform" ? " " : ": "}${detail}. Nothing was kept`,
  next: ({ image, reason }) => failures[reason].next(image)
}) {}

/** Why a registry that a file names needs a grant of the person. */
const RegistryReason = Schema.Literals(["loopback", "address", "unknown", "environment"])

const reasons: Readonly<Record<typeof RegistryReason.Type, { readonly fact: string; readonly next: string }>> = {
  loopback: {
    fact: "a service of this computer, which the programs of the build could then reach",
    next: "Name it as localhost:PORT, and allow that port"
  },
  address: {
    fact: "an address, and a build reaches registries by their names",
    next: "Name the registry by its host name"
  },
  unknown: {
    fact: "not a well-known registry, and the programs of the build could send it files of the project",
    next: "Name another registry"
  },
  environment: {
    fact: "an environment of this host, whose files the programs of the build could then read",
    next: "Name another image"
  }
}

/** A file of a repository names a registry that only the person can allow. Nothing was built. */
export class RegistryNotAllowed extends ContractError<RegistryNotAllowed>()("RegistryNotAllowed", {
  /** File that names it. */
  path: Schema.String,
  /** Line of the file. Absent if the file is no Dockerfile. */
  line: optional(Schema.Int),
  /** Registry, as HOST or HOST:PORT, or an environment of this host, as localhost/NAME. */
  registry: Schema.String,
  reason: RegistryReason
}, {
  fact: ({ line, path, reason, registry }) =>
    printable(
      `${oneLine(path)}${line === undefined ? "" : `:${line}`} names ${
        reason === "environment" ? "" : "the registry "
      }${nameLine(registry)}: ${reasons[reason].fact}`
    ),
  next: ({ reason }) => [words(reasons[reason].next)]
}) {}

export const imageErrors = [ImagePullFailed, RegistryNotAllowed] as const
