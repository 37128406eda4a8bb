import { Result, Schema } from "effect"
import { call, type NextStep, option, words } from "../../../contract/errors/next-step.ts"
import { similarTo } from "../../../contract/text/similar.ts"
import { snakeCase, snakeStruct } from "../../../contract/text/snake.ts"
import { hostLists, listNames } from "./lists.ts"
import { type BadRule, type HostRule, type IpRule, isBadRule, parseHostRule, parseIpRule } from "./rule.ts"

/** `off`: no network. `egress`: connections outwards. `egress+published-ports`: also ports that the host publishes. */
const NetworkPolicy = Schema.Literals(["off", "egress", "egress+published-ports"])
type NetworkPolicy = typeof NetworkPolicy.Type

/** The network that a guest is granted, as the person wrote it. */
export const Policy = snakeStruct({
  networkPolicy: NetworkPolicy,
  /** `NAME[:PORT]`, `*.SUFFIX[:PORT]`, `*` or a named list. Empty, without `allowIps` as well: every public name. */
  allowHosts: Schema.Array(Schema.String),
  /** `NAME[:PORT]`, `*.SUFFIX[:PORT]`, `*` or a named list. It wins over `allowHosts`. */
  denyHosts: Schema.Array(Schema.String),
  /** `IP[/BITS][:PORT]` or `[IPv6[/BITS]]:PORT`. */
  allowIps: Schema.Array(Schema.String),
  /** False: no download is taken from the cache of packages, and none is kept. @default true */
  packageCache: Schema.optional(Schema.Boolean),
  /** Registries, as HOST:PORT, whose layers pass through the cache: of a builder of images. @default none */
  imageRegistries: Schema.optionalKey(Schema.Array(Schema.String)),
  /** True: the guest trusts the authorities of the host, too. @default false */
  trustHostCertificates: Schema.optionalKey(Schema.Boolean)
})
export type Policy = typeof Policy.Type

export const policyOff: Policy = { networkPolicy: "off", allowHosts: [], denyHosts: [], allowIps: [] }

/** A policy that is ready to judge. */
export interface Rules {
  readonly networkPolicy: NetworkPolicy
  readonly allowHosts: ReadonlyArray<HostRule>
  readonly denyHosts: ReadonlyArray<HostRule>
  readonly allowIps: ReadonlyArray<IpRule>
  /** Only listed hosts and addresses are allowed. */
  readonly isListed: boolean
  /** A rule names hosts: the host in a connection's bytes must be the judged name, because an address has many names. */
  readonly comparesNames: boolean
}

/** A rule of a policy that cannot be read. */
export interface PolicyIssue {
  readonly field: "allowHosts" | "denyHosts" | "allowIps"
  /** A whole sentence. */
  readonly detail: string
  readonly next: ReadonlyArray<NextStep>
}

/** What is wrong with a rule, and what to do next. */
type RuleIssue = Pick<BadRule, "detail" | "next">

/** The lists that people call by the tool that uses them. */
const LIST_OF_TOOL: ReadonlyMap<string, string> = new Map([
  ...["apt", "apt-get", "dpkg", "deb"].map((tool) => [tool, "debian"] as const),
  ...["pip", "pip3", "python", "poetry", "pipx"].map((tool) => [tool, "pypi"] as const),
  ...["node", "yarn", "pnpm", "npx"].map((tool) => [tool, "npm"] as const),
  ...["cargo", "rust"].map((tool) => [tool, "crates"] as const),
  ...["golang", "goproxy"].map((tool) => [tool, "go"] as const),
  ...["gem", "bundler", "ruby"].map((tool) => [tool, "rubygems"] as const),
  ...["docker", "dockerhub"].map((tool) => [tool, "docker-hub"] as const),
  ...["dotnet", "csharp"].map((tool) => [tool, "nuget"] as const),
  ...["composer", "php"].map((tool) => [tool, "packagist"] as const),
  ...["mvn", "java"].map((tool) => [tool, "maven"] as const),
  ["mix", "hex"],
  ["uv", "pypi"],
  ["git", "github"]
])

/** One allowed or denied host: the rule, or the rules of the named list. */
export const parseHostRules = (text: string): Result.Result<ReadonlyArray<HostRule>, RuleIssue> => {
  const hosts = hostLists[text]?.hosts
  if (hosts !== undefined) {
    return Result.succeed(hosts.map((host) => ({ ...(parseHostRule(host) as HostRule), text: `${text} (${host})` })))
  }
  if (/^[a-z0-9_-]+$/i.test(text) && !/^[0-9]+$/.test(text) && !/^(0x|localhost$)/i.test(text)) {
    const nearest = LIST_OF_TOOL.get(text.toLowerCase()) ?? similarTo(text.toLowerCase(), listNames)[0]
    return Result.fail({
      detail: `${JSON.stringify(text)} is neither a full host name nor a named list`,
      next: [
        ...(nearest === undefined ? [] : [words(`Did you mean ${nearest}?`)]),
        call("See all lists", "network.lists")
      ]
    })
  }
  const rule = parseHostRule(text)
  return isBadRule(rule) ? Result.fail(rule) : Result.succeed([rule])
}

/** One allowed address. */
export const parseIpRules = (text: string): Result.Result<ReadonlyArray<IpRule>, RuleIssue> => {
  const rule = parseIpRule(text)
  return isBadRule(rule) ? Result.fail(rule) : Result.succeed([rule])
}

/** Several rules in one text, such as `pypi,npm`: no rule has a comma. */
const commaIssue = (field: PolicyIssue["field"], text: string): PolicyIssue | undefined => {
  if (!text.includes(",")) return undefined
  const rules = text.split(",").map((rule) => rule.trim()).filter((rule) => rule !== "")
  return {
    field,
    detail: `${JSON.stringify(text)} has a comma`,
    next: [
      rules.length === 0
        ? words("Give each rule by itself")
        : option("Give each rule by itself", snakeCase(field), rules)
    ]
  }
}

const each = <A>(
  field: PolicyIssue["field"],
  texts: ReadonlyArray<string>,
  parse: (text: string) => Result.Result<ReadonlyArray<A>, RuleIssue>
): Result.Result<ReadonlyArray<A>, PolicyIssue> => {
  const rules: Array<A> = []
  for (const text of texts) {
    const comma = commaIssue(field, text)
    if (comma !== undefined) return Result.fail(comma)
    const parsed = parse(text)
    if (Result.isFailure(parsed)) {
      return Result.fail({ field, detail: parsed.failure.detail, next: parsed.failure.next })
    }
    rules.push(...parsed.success)
  }
  return Result.succeed(rules)
}

/** Reads every rule of a policy. Fails with the first rule that cannot be read. */
export const readPolicy = (policy: Policy): Result.Result<Rules, PolicyIssue> =>
  Result.map(
    Result.all({
      allowHosts: each("allowHosts", policy.allowHosts, parseHostRules),
      denyHosts: each("denyHosts", policy.denyHosts, parseHostRules),
      allowIps: each("allowIps", policy.allowIps, parseIpRules)
    }),
    (rules) => ({
      ...rules,
      networkPolicy: policy.networkPolicy,
      isListed: rules.allowHosts.length > 0 || rules.allowIps.length > 0,
      comparesNames: rules.allowHosts.length > 0 || rules.allowIps.length > 0 || rules.denyHosts.length > 0
    })
  )
