/** The person's proxies, as curl and others read them from the environment. */
export interface Proxies {
  readonly http: string | undefined
  readonly https: string | undefined
  readonly all: string | undefined
  readonly no: string | undefined
}

type Variables = Readonly<Record<string, string | undefined>>

const KINDS = ["http", "https", "all", "no"] as const

/** The variable that holds, by its name. As in curl, the lower-case form comes first. An empty value counts as none. */
const namedBy = (values: Variables, kind: keyof Proxies): string | undefined =>
  [`${kind}_proxy`, `${kind}_proxy`.toUpperCase()].find((name) => (values[name] ?? "") !== "")

const valueOf = (values: Variables, kind: keyof Proxies) => values[namedBy(values, kind) ?? ""]

/** The proxies that the variables name. */
export const proxiesOf = (values: Variables): Proxies => ({
  http: valueOf(values, "http"),
  https: valueOf(values, "https"),
  all: valueOf(values, "all"),
  no: valueOf(values, "no")
})

/** What decides the way of a connection: the proxy of port 80, that of other ports, and the hosts without one. */
const waysOf = ({ all, http, https, no }: Proxies) => {
  const ways = [http ?? all, https ?? all]
  return JSON.stringify([...ways, ways.every((way) => way === undefined) ? undefined : no])
}

/** Names of the proxy variables whose values lead connections another way. Empty if both lead them the same way. */
export const differingProxies = (own: Variables, others: Variables): ReadonlyArray<string> =>
  waysOf(proxiesOf(own)) === waysOf(proxiesOf(others))
    ? []
    : KINDS.filter((kind) => valueOf(own, kind) !== valueOf(others, kind))
      .map((kind) => namedBy(own, kind) ?? namedBy(others, kind)!)
