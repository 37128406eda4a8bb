import { call, type NextStep } from "../contract/errors/next-step.ts"
import { isImageName } from "../contract/text/image-archive.ts"
import type { EnvironmentStatus } from "../lib/environment/Environments.ts"

const RENEW = "Renew it"

const build = (name: string, values: Parameters<typeof call>[2], ...choose: ReadonlyArray<string>) =>
  call(RENEW, "env.build", { name, ...values, replace: true }, ...choose)

/** The steps that make an outdated environment again, from the present recipe. Undefined for others. */
export const renewalOf = ({ name, oci, own, state }: EnvironmentStatus): ReadonlyArray<NextStep> | undefined => {
  if (state !== "outdated") return undefined
  if (oci === undefined || isImageName(name)) return [call(RENEW, "env.pull", { environment: name })]
  if (own !== undefined) return [build(name, { from: own.from, packages: [...own.packages] })]
  if (oci.devcontainer !== undefined) return [build(name, {}, "devcontainer")]
  return [
    build(name, {}, "dockerfile"),
    call("Or import its archive again", "env.import", { name, replace: true }, "source")
  ]
}
