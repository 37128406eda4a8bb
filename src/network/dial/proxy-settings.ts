/** The person's proxies, as curl and others read them from the environment. */
export interface Proxies {
  readonly http: string | undefined
  readonly https: string | undefined
  readonly all: string | undefined
  readonly no: string | undefined
}
