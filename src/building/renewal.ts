import { isImageName } from "../contract/text/image-archive.ts"
import { typed } from "../contract/text/printable.ts"
import type { EnvironmentStatus } from "../lib/environment/Environments.ts"

const pull = (name: string) => typed(["pyro", "env", "pull", name])

const build = (...words: ReadonlyArray<string>) => typed(["pyro", "env", "build", ...words, "--replace"])

/** The command that makes an outdated environment again, from the present recipe. Capitals are places that pyro does not know. */
export const renewalOf = ({ name, oci, own, state }: EnvironmentStatus): string | undefined => {
  if (state !== "outdated") return undefined
  if (oci === undefined || isImageName(name)) return pull(name)
  if (own !== undefined) return build(name, "--from", own.from, "--packages", ...own.packages)
  if (oci.devcontainer !== undefined) return build(name, "--devcontainer", "DIR")
  return `${build(name, "--dockerfile", "DIR")}; of an archive: ${
    typed(["pyro", "env", "import", "FILE", "--name", name, "--replace"])
  }`
}
