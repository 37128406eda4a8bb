import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { digestOf, type TestImage } from "./image.ts"

export interface TestRegistry {
  /** HOST:PORT. */
  readonly host: string
  /** Paths of the requests, in order. */
  readonly requests: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

type Answer = (response: http.ServerResponse) => void

/**
 * A registry, on the loopback unless told otherwise, that has these images under REPOSITORY:TAG (the read side of the OCI distribution specification). `odd`
 * answers the requests whose path it knows.
 */
export const startRegistry = async (
  images: Readonly<Record<string, TestImage>>,
  odd: (path: string) => Answer | undefined = () => undefined,
  address = "127.0.0.1"
): Promise<TestRegistry> => {
  const requests: Array<string> = []
  const blobs = new Map(Object.values(images).flatMap((image) => [...image.blobs]))
  const byDigest = new Map(Object.values(images).map((image) => [digestOf(image.manifest), image]))
  const server = http.createServer((request, response) => {
    const path = request.url ?? ""
    requests.push(`${request.method} ${path}`)
    const other = odd(path)
    if (other !== undefined) return other(response)
    if (path === "/v2/") return void response.writeHead(200).end("{}")
    const [, name = "", kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? []
    const image = kind === "manifests" ? images[`${name}:${reference}`] ?? byDigest.get(reference) : undefined
    const content = image?.manifest ?? blobs.get(reference)
    if (content === undefined) return void response.writeHead(404).end(`{"errors":[{"code":"NAME_UNKNOWN"}]}`)
    response.writeHead(200, {
      "content-type": image?.mediaType ?? "application/octet-stream",
      "content-length": content.length,
      "docker-content-digest": digestOf(content)
    })
    response.end(request.method === "HEAD" ? undefined : content)
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  return {
    host: `${address}:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
