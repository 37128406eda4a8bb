import { type ImageReference, parseReference } from "../contract/text/image-reference.ts"
import { sourceOf } from "./image-source.ts"

const instruction = /^[ \t]*FROM[ \t]+(?:--[a-z]+=\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?/gim

/** What the base images of a Dockerfile need of the network. */
export interface Bases {
  /** Rules for the builder's policy. */
  readonly allowHosts: ReadonlyArray<string>
  /** The images, as far as they are known. */
  readonly references: ReadonlyArray<ImageReference>
  /** The registries, as HOST:PORT. */
  readonly registries: ReadonlyArray<string>
  /** Ports of registries on this host's loopback. */
  readonly loopbackPorts: ReadonlyArray<number>
}

/**
 * The registries of a Dockerfile's base images, as far as its text names them: a base in a variable is unknown. A short name is an image of
 * Docker Hub, as the Dockerfile reference says.
 */
export const basesOf = (dockerfile: string): Bases => {
  const stages = new Set<string>()
  const allowHosts = new Set<string>()
  const loopbackPorts = new Set<number>()
  const registries = new Set<string>()
  const references: Array<ImageReference> = []
  for (const [, base = "", stage] of dockerfile.matchAll(instruction)) {
    const isOther = base === "scratch" || base.includes("$") || stages.has(base.toLowerCase())
    if (stage !== undefined) stages.add(stage.toLowerCase())
    const reference = isOther ? undefined : parseReference(base) ?? parseReference(`docker.io/${base}`)
    if (reference === undefined) continue
    references.push(reference)
    const source = sourceOf(reference)
    registries.add(source.registry)
    for (const host of source.allowHosts) {
      allowHosts.add(host)
      const [, port] = /^host\.pyro\.internal:(\d+)$/.exec(host) ?? []
      if (port !== undefined) loopbackPorts.add(Number(port))
    }
  }
  return { references, allowHosts: [...allowHosts], registries: [...registries], loopbackPorts: [...loopbackPorts] }
}
