import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { installation } from "../installation.ts"
import { imageOf } from "../oci/image.ts"
import { startRegistry } from "../oci/registry.ts"

/** The host, as guests name it. */
export const LOCAL = "host.pyro.internal"

/** The program where there is no compiler: the lab's machine has it on its disk. */
const built = path.join(os.homedir(), ".lab/net")

/** Builds the program of the images: it serves, and it connects. */
const programIn = (folder: string) => {
  if (fs.existsSync(built)) return fs.readFileSync(built)
  const file = path.join(folder, "net")
  const source = path.join(import.meta.dirname, "../../fixtures/docker/net.c")
  execFileSync("musl-gcc", ["-static", "-O2", "-o", file, source])
  return fs.readFileSync(file)
}

/** The workspace `dock` of debian:13-docker, which may reach a registry of the host, and nothing else. */
export const dockerInside = async (
  prefix: string,
  files: (image: string, port: number) => Record<string, string> = () => ({})
) => {
  const own = installation(prefix)
  const { call, json, sh } = own
  const registry = await startRegistry({
    "net:1": imageOf([[{ name: "net", data: programIn(own.folder) }]], { Entrypoint: ["/net"] })
  })
  // A service of the host that the workspace may not reach.
  const forbidden = http.createServer((_, response) => response.end("forbidden"))
  await new Promise<void>((resolve) => forbidden.listen(0, "127.0.0.1", resolve))
  const registryHost = registry.host.replace("127.0.0.1", LOCAL)
  const image = `${registryHost}/net:1`
  const forbiddenPort = (forbidden.address() as AddressInfo).port
  const directory = path.join(own.folder, "project")
  fs.mkdirSync(directory)
  for (const [name, text] of Object.entries(files(image, forbiddenPort))) {
    fs.writeFileSync(path.join(directory, name), text)
  }
  const sizes = ["--mem-mib", "1024", "--disk-mib", "2048"]
  await json(
    ["create", "debian:13-docker", "--name", "dock", ...sizes, "--seed-path", directory, "--allow-host", registryHost]
  )
  await sh("dock", `printf '{ "insecure-registries": ["%s"] }' ${registryHost} > /etc/docker/daemon.json`)
  return {
    call,
    json,
    sh,
    image,
    registryPort: registryHost.split(":")[1]!,
    forbiddenPort: String(forbiddenPort),
    /** What `net` prints in a container, whether it fails or not. */
    inContainer: (...words: ReadonlyArray<string>) => sh("dock", `docker run --rm ${words.join(" ")} || true`),
    close: async () => {
      await call(["delete", "--all"])
      await own.close()
      await registry.close()
      forbidden.close()
    }
  }
}

export type DockerInside = Awaited<ReturnType<typeof dockerInside>>
