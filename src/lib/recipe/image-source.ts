import { createHash } from "node:crypto"
import type { ImageReference } from "../../contract/text/image-reference.ts"
import { table } from "../../contract/text/names.ts"

/** A safe file name for a reference, which has slashes. */
export const referenceFile = (name: string) => `image-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`

/** Name of this host's loopback in a builder. */
const IN_GUEST = "host.pyro.internal"

/** A registry on the loopback of this host. */
export const isLoopback = (host: string) => host === "localhost" || host === "127.0.0.1" || host === IN_GUEST

/** Hosts of registries whose tokens or layers come from other hosts. */
const besides = table<ReadonlyArray<string>>({
  "docker.io": ["docker-hub"],
  "ghcr.io": ["ghcr"],
  "quay.io": ["quay"],
  "mcr.microsoft.com": ["mcr"],
  "public.ecr.aws": ["ecr-public"],
  "gcr.io": ["gcr"]
})

/** How a builder microVM reaches the registry: the source for skopeo, the network policy that it needs, and the registry itself. */
export const sourceOf = ({ digest, registry, repository, tag }: ImageReference) => {
  const [host = "", port] = registry.split(":")
  // skopeo takes no tag beside a digest.
  const which = digest === undefined ? `:${tag}` : `@${digest}`
  if (!isLoopback(host)) {
    return {
      source: `docker://${registry}/${repository}${which}`,
      plainHttp: false,
      allowHosts: besides[registry] ?? [`${host}:${port ?? 443}`],
      // Docker Hub's registry has another name than its images.
      registry: `${registry === "docker.io" ? "registry-1.docker.io" : host}:${port ?? 443}`
    }
  }
  const inGuest = `${IN_GUEST}:${port ?? 443}`
  return {
    source: `docker://${inGuest}/${repository}${which}`,
    // As Docker does for registries of the loopback: https if it answers, http otherwise. No certificate names the loopback.
    plainHttp: true,
    allowHosts: [inGuest],
    registry: inGuest
  }
}
