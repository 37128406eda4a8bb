import { isLoopback } from "./image-source.ts"

/**
 * Public registries: a file of a repository names them without a question. Each takes uploads of its own accounts, so a build can send its
 * files to an account that it brings. docs/security.md lists them.
 */
const WELL_KNOWN: ReadonlyArray<string> = [
  "docker.io",
  "docker.elastic.co",
  "gcr.io",
  "ghcr.io",
  "mcr.microsoft.com",
  "nvcr.io",
  "public.ecr.aws",
  "quay.io",
  "registry.access.redhat.com",
  "registry.fedoraproject.org",
  "registry.gitlab.com",
  "registry.k8s.io"
]

/** Kind of a registry for a person whose file names it. */
export type RegistryKind = "well_known" | "loopback" | "address" | "unknown"

/** Names of this host that a builder does not know by another name. */
const isOtherLoopback = (host: string) => host.endsWith(".localhost") || /^127\./.test(host)

/** A last label that resolvers read as a part of an address. */
const isAddress = (host: string) => /(^|\.)(\d+|0x[0-9a-f]*)$/i.test(host)

/** The kind of a registry, HOST or HOST:PORT. */
export const kindOfRegistry = (registry: string): RegistryKind => {
  const [host = ""] = registry.split(":")
  return WELL_KNOWN.includes(registry)
    ? "well_known"
    : isLoopback(host) || isOtherLoopback(host)
    ? "loopback"
    : isAddress(host)
    ? "address"
    : "unknown"
}

/** The port of a registry on this host's loopback, as its reference names it. Undefined for a name that builders do not have. */
export const loopbackPortOf = (registry: string): number | undefined => {
  const [host = "", port = "443"] = registry.split(":")
  return isLoopback(host) ? Number(port) : undefined
}

/** A registry, or an environment as localhost/NAME, in a question to the person. */
export const registryInWords = (registry: string): string => {
  const [, port = "443"] = registry.split(":")
  if (registry.startsWith("localhost/")) return `the environment ${registry.slice("localhost/".length)} of this host`
  return kindOfRegistry(registry) === "loopback" ? `port ${port} of this computer (${registry})` : registry
}
