import type { CreateOptions } from "pyro/promises"

/** The key of Claude Code, which stays on the host. */
export interface ClaudeCodeKey {
  /** Key of the API, as in `ANTHROPIC_API_KEY`. */
  readonly apiKey?: string | undefined
  /** Token of a subscription, as in `CLAUDE_CODE_OAUTH_TOKEN`. Taken if there is no `apiKey`. */
  readonly oauthToken?: string | undefined
  /** Address of the API, with `https`. Default: https://api.anthropic.com. */
  readonly baseUrl?: string | undefined
}

/**
 * Options of `create` for a workspace that Claude Code runs in: the guest reaches the API's host alone, and has a placeholder for the key. pyro puts
 * the key into its requests, outside of the guest.
 *
 * @example
 * const ws = await pyro.create({ environment: "claude-code", seedPath: ".", ...claudeCodeAccess({ apiKey }) })
 */
export const claudeCodeAccess = (
  { apiKey, baseUrl = "https://api.anthropic.com", oauthToken }: ClaudeCodeKey
): Pick<CreateOptions, "allowHosts" | "env" | "secretHttp" | "secrets"> => {
  const { hostname, port, protocol } = new URL(URL.canParse(baseUrl) ? baseUrl : "x:")
  if (protocol !== "https:") {
    throw new Error(`baseUrl: ${baseUrl} must begin with https://, for pyro puts the key into HTTPS requests.`)
  }
  const [name, header, value] = apiKey === undefined || apiKey === ""
    ? ["CLAUDE_CODE_OAUTH_TOKEN", "authorization", oauthToken] as const
    : ["ANTHROPIC_API_KEY", "x-api-key", apiKey] as const
  if (value === undefined || value === "") {
    throw new Error("Claude Code needs a key: give apiKey, such as process.env.ANTHROPIC_API_KEY, or oauthToken.")
  }
  return {
    allowHosts: [`${hostname}:${port === "" ? 443 : port}`],
    env: { ANTHROPIC_BASE_URL: baseUrl },
    secrets: { [name]: value },
    secretHttp: [`${name}@${hostname}${port === "" ? "" : `:${port}`}:${header}`]
  }
}
