/** Hosts of model APIs, and the headers that have their keys. */
export const secretPresets = {
  anthropic: { host: "api.anthropic.com", header: "x-api-key" },
  google: { host: "generativelanguage.googleapis.com", header: "x-goog-api-key" },
  openai: { host: "api.openai.com", header: "authorization" }
} as const

/** Which host gets a secret. */
export interface SecretTarget {
  readonly name: string
  readonly host: string
  readonly port: number
  /** In lower case. Absent: every header. */
  readonly header?: string
  /** Only requests that pull these repositories of a registry get the secret. Absent: every request. */
  readonly pulls?: ReadonlyArray<string>
}

const HTTPS = 443

const FORM =
  /^([A-Za-z_][A-Za-z0-9_]{0,63})@([a-z0-9.-]{1,253})(?::(\d{1,5}))?(?::([!#$%&'*+.^_`|~0-9a-z-]*[a-z][!#$%&'*+.^_`|~0-9a-z-]*))?$/i
const LABELS = /^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

const presetOf = (text: string) => text in secretPresets ? secretPresets[text as keyof typeof secretPresets] : undefined

const PULLS = /(?:\+pull=[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)+$/

/** Reads NAME@HOST[:PORT][:HEADER][+pull=REPOSITORY]... or NAME@PRESET. */
export const secretTargetOf = (item: string): SecretTarget | undefined => {
  const [pulled = ""] = PULLS.exec(item) ?? []
  const pulls = pulled.split("+pull=").slice(1)
  const [, name, written, port, header] = FORM.exec(item.slice(0, item.length - pulled.length)) ?? []
  if (name === undefined || written === undefined) return undefined
  const host = written.toLowerCase()
  const preset = port === undefined && header === undefined ? presetOf(host) : undefined
  if (preset !== undefined) return pulls.length > 0 ? undefined : { name, port: HTTPS, ...preset }
  const number = port === undefined ? HTTPS : Number(port)
  if (!LABELS.test(host) || number < 1 || number > 65_535) return undefined
  return {
    name,
    host,
    port: number,
    ...(header === undefined ? {} : { header: header.toLowerCase() }),
    ...(pulls.length === 0 ? {} : { pulls })
  }
}
