import { Effect } from "effect"
import { AgentKeyMissing, InvalidRequest } from "../../contract/errors/errors.ts"
import { secretTargetOf } from "../../contract/rows/secret-target.ts"
import type { AgentInside, ChosenKey } from "./agent-inside.ts"

type Variable = (name: string) => string | undefined

/** The agent's key in the host's variables, and its provider's origin. */
export const keyOf = (
  { keys, name }: AgentInside,
  variable: Variable
): Effect.Effect<ChosenKey & { readonly value: string }, AgentKeyMissing> => {
  for (const key of keys) {
    const value = variable(key.variable)
    if (value !== undefined && value !== "") {
      return Effect.succeed({ ...key, value, url: variable(key.baseUrl.variable) || key.baseUrl.fallback })
    }
  }
  return new AgentKeyMissing({ agent: name, variables: keys.map((key) => key.variable) })
}

/** What the guest may reach, and where pyro puts the key in: arguments of `--allow-host` and `--secret-http`. */
export const accessOf = (
  key: ChosenKey
): Effect.Effect<{ readonly allowHost: string; readonly secretHttp: string }, InvalidRequest> => {
  const { baseUrl: { variable: field }, header, url, variable } = key
  const refuse = (detail: string) => new InvalidRequest({ field, detail })
  if (!URL.canParse(url)) return refuse(`${url} is no URL; one looks like https://api.example.com`)
  const { hostname, port, protocol } = new URL(url)
  if (protocol !== "https:") {
    return refuse(`${url} must begin with https://, because pyro puts the key into HTTPS requests`)
  }
  const secretHttp = `${variable}@${hostname}${port === "" ? "" : `:${port}`}:${header}`
  return secretTargetOf(secretHttp) === undefined
    ? refuse(`${hostname} must be a host name, because a key belongs to a name`)
    : Effect.succeed({ allowHost: `${hostname}:${port === "" ? 443 : port}`, secretHttp })
}
